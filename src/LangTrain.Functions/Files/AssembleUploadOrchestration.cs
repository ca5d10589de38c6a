using LangTrain.Core.Files;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace LangTrain.Functions.Files;

/// <summary>Puts the parts of a large upload together after the request that completes it, which starts it just before. Its instance id is the upload's id.</summary>
/// <remarks>Replay: this method is run again from its beginning after the wait. It awaits nothing but tasks of its context; the upload's row is the truth.</remarks>
public static class AssembleUploadOrchestration
{
    // Stored in histories, so never changed.
    internal const string Name = "AssembleUploadOrchestration", Assemble = "AssembleUpload";

    // Over an hour of storage that does not answer, or of a request that died before it had completed the upload; after that the upload's owner may complete it again, and the sweep does once its time has ended.
    private static readonly TaskOptions Retries = new(new TaskRetryOptions(
        new RetryPolicy(12, TimeSpan.FromSeconds(2), backoffCoefficient: 2.5, maxRetryInterval: TimeSpan.FromMinutes(10))));

    /// <summary>Runs it.</summary>
    [Function(Name)]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var upload = context.GetInput<UploadRef>() ?? throw new InvalidOperationException("The orchestration was started without its upload.");
        await context.CallActivityAsync(Assemble, upload, options: Retries);
    }
}

/// <summary>The step of <see cref="AssembleUploadOrchestration"/> that touches the world. It runs at least once, and twice does no harm.</summary>
public sealed class AssembleUploadActivities(AssembleUpload assembly)
{
    /// <summary>Puts the parts together.</summary>
    [Function(AssembleUploadOrchestration.Assemble)]
    public Task AssembleAsync([ActivityTrigger] UploadRef upload, CancellationToken cancellation) => assembly.ExecuteAsync(upload, cancellation);
}
