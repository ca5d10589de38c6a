using LangTrain.Core.Idempotency;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Accounts;

/// <summary>Removes stored answers that are older than they are kept.</summary>
public sealed class IdempotencyTimerFunctions(IdempotentRequests requests)
{
    /// <summary>Each hour.</summary>
    [Function("SweepIdempotentRequests")]
    public Task SweepAsync([TimerTrigger("0 23 * * * *")] TimerInfo timer, CancellationToken cancellation) => requests.SweepAsync(cancellation);
}
