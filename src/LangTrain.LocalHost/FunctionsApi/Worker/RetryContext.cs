namespace Microsoft.Azure.Functions.Worker;

/// <summary>How often this invocation was tried.</summary>
public abstract class RetryContext
{
    /// <summary>Tries before this one.</summary>
    public abstract int RetryCount { get; }

    /// <summary>Tries that there may be.</summary>
    public abstract int MaxRetryCount { get; }
}
