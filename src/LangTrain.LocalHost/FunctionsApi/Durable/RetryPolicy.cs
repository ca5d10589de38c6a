namespace Microsoft.DurableTask;

/// <summary>How often and how fast a failed task is tried again.</summary>
public class RetryPolicy
{
    private readonly Func<TaskFailureDetails, bool>? _handleFailure;

    /// <summary>Makes a policy.</summary>
    /// <param name="maxNumberOfAttempts">Tries in all, at least 1.</param>
    /// <param name="firstRetryInterval">Wait before the second try, above zero.</param>
    /// <param name="backoffCoefficient">Factor of each further wait, at least 1.</param>
    /// <param name="maxRetryInterval">Longest wait; unlimited where it is absent.</param>
    /// <param name="retryTimeout">No further try after this time since the first; unlimited where it is absent.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public RetryPolicy(
        int maxNumberOfAttempts,
        TimeSpan firstRetryInterval,
        double backoffCoefficient = 1,
        TimeSpan? maxRetryInterval = default,
        TimeSpan? retryTimeout = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxNumberOfAttempts);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(firstRetryInterval, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(backoffCoefficient, 1);
        MaxNumberOfAttempts = maxNumberOfAttempts;
        FirstRetryInterval = firstRetryInterval;
        BackoffCoefficient = backoffCoefficient;
        MaxRetryInterval = maxRetryInterval ?? TimeSpan.FromHours(1);
        RetryTimeout = retryTimeout ?? Timeout.InfiniteTimeSpan;
    }

    /// <summary>Tries in all.</summary>
    public int MaxNumberOfAttempts { get; }

    /// <summary>Wait before the second try.</summary>
    public TimeSpan FirstRetryInterval { get; }

    /// <summary>Factor of each further wait.</summary>
    public double BackoffCoefficient { get; }

    /// <summary>Longest wait.</summary>
    public TimeSpan MaxRetryInterval { get; }

    /// <summary>No further try after this time since the first; infinite where there is no such limit.</summary>
    public TimeSpan RetryTimeout { get; }

    /// <summary>Says which failures are tried again; all where it is absent.</summary>
    public Func<TaskFailureDetails, bool> HandleFailure
    {
        init => _handleFailure = value;
    }

    internal bool ShouldHandle(TaskFailureDetails failure) => _handleFailure?.Invoke(failure) ?? true;
}
