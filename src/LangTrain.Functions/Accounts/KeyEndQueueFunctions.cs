using LangTrain.Contracts.Accounts;
using LangTrain.Core.Accounts;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Accounts;

/// <summary>Hears when keys end by themselves.</summary>
public sealed class KeyEndQueueFunctions(KeyEnds ends)
{
    /// <summary>A key has ended, or is about to.</summary>
    [Function("EndKey")]
    public Task EndAsync([QueueTrigger("key-ends")] EndKeyWorkItem item, CancellationToken cancellation) => ends.ExecuteAsync(item, cancellation);
}
