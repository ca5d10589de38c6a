namespace Microsoft.DurableTask;

/// <summary>A failed try, for a handler that says whether there is another.</summary>
/// <param name="OrchestrationContext">The orchestration.</param>
/// <param name="LastAttemptNumber">Number of the try, from one.</param>
/// <param name="LastFailure">Why it failed.</param>
/// <param name="TotalRetryTime">Time since the first try.</param>
/// <param name="CancellationToken">Always without effect here.</param>
public record RetryContext(
    TaskOrchestrationContext OrchestrationContext,
    int LastAttemptNumber,
    TaskFailureDetails LastFailure,
    TimeSpan TotalRetryTime,
    CancellationToken CancellationToken);
