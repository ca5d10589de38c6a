using Microsoft.Extensions.Logging;

namespace Microsoft.DurableTask;

/// <summary>
/// What an orchestrator may do. An orchestrator is replayed from its history, so it takes time, ids and every effect from here
/// and nothing from elsewhere.
/// </summary>
public abstract class TaskOrchestrationContext
{
    /// <summary>Name of the orchestration.</summary>
    public abstract TaskName Name { get; }

    /// <summary>Id of this instance.</summary>
    public abstract string InstanceId { get; }

    /// <summary>Time of the event that is being handled, UTC; the same in every replay.</summary>
    public abstract DateTime CurrentUtcDateTime { get; }

    /// <summary>Whether what runs now has run before.</summary>
    public abstract bool IsReplaying { get; }

    /// <summary>Makes loggers that are silent while replaying.</summary>
    public virtual ILoggerFactory ReplaySafeLoggerFactory => new ReplaySafeLoggers(this, LoggerFactory);

    /// <summary>Makes loggers that are not replay-safe.</summary>
    protected abstract ILoggerFactory LoggerFactory { get; }

    /// <summary>The instance's input.</summary>
    public abstract T? GetInput<T>();

    /// <summary>Runs an activity, at least once.</summary>
    /// <exception cref="TaskFailedException">It failed, after all retries.</exception>
    public abstract Task<TResult> CallActivityAsync<TResult>(TaskName name, object? input = null, TaskOptions? options = null);

    /// <summary>Runs an activity without a result, at least once.</summary>
    /// <exception cref="TaskFailedException">It failed, after all retries.</exception>
    public virtual Task CallActivityAsync(TaskName name, object? input = null, TaskOptions? options = null) =>
        CallActivityAsync<object?>(name, input, options);

    /// <summary>Waits until a time. Cancelling it ends the wait at once.</summary>
    public abstract Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken);

    /// <summary>Waits for a while.</summary>
    public virtual Task CreateTimer(TimeSpan delay, CancellationToken cancellationToken) =>
        CreateTimer(CurrentUtcDateTime + delay, cancellationToken);

    /// <summary>Waits for an event from outside. Events that came earlier were kept, in order, and are given first.</summary>
    public abstract Task<T?> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default);

    /// <summary>Waits for an event, for a time.</summary>
    /// <exception cref="TaskCanceledException">It did not come in time.</exception>
    public Task<T?> WaitForExternalEvent<T>(string eventName, TimeSpan timeout) =>
        WaitForExternalEvent<T>(eventName, timeout, CancellationToken.None);

    /// <summary>Waits for an event, for a time.</summary>
    /// <exception cref="TaskCanceledException">It did not come in time, or the wait was cancelled.</exception>
    public async Task<T?> WaitForExternalEvent<T>(string eventName, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var stopTimer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var stopWaiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var timer = CreateTimer(timeout, stopTimer.Token);
        var received = WaitForExternalEvent<T>(eventName, stopWaiting.Token);
        var loser = await Task.WhenAny(timer, received) == received ? stopTimer : stopWaiting;
        // Not CancelAsync: it would run on another thread, and a replay must not depend on when.
        loser.Cancel();
        return await received;
    }

    /// <summary>Sets what <c>GetInstanceAsync</c> shows as custom status.</summary>
    public abstract void SetCustomStatus(object? customStatus);

    /// <summary>Starts the instance anew, with an empty history, once the orchestrator returns.</summary>
    public abstract void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true);

    /// <summary>A new id, the same in every replay.</summary>
    public abstract Guid NewGuid();

    /// <summary>A logger that is silent while replaying.</summary>
    public virtual ILogger CreateReplaySafeLogger(string categoryName) => ReplaySafeLoggerFactory.CreateLogger(categoryName);

    /// <summary>A logger that is silent while replaying.</summary>
    public virtual ILogger CreateReplaySafeLogger(Type type) => ReplaySafeLoggerFactory.CreateLogger(type);

    /// <summary>A logger that is silent while replaying.</summary>
    public virtual ILogger CreateReplaySafeLogger<T>() => ReplaySafeLoggerFactory.CreateLogger<T>();
}
