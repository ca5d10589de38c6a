namespace Microsoft.DurableTask;

/// <summary>Says whether a failed task is tried again; may wait on durable timers. Runs in the orchestrator, so it must be deterministic.</summary>
public delegate Task<bool> AsyncRetryHandler(RetryContext retryContext);
