namespace Microsoft.DurableTask;

/// <summary>Says whether a failed task is tried again. Runs in the orchestrator, so it is replayed and must be deterministic.</summary>
public delegate bool RetryHandler(RetryContext retryContext);
