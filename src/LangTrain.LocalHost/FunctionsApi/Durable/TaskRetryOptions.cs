namespace Microsoft.DurableTask;

/// <summary>How a failed task is tried again: by a policy or by a handler.</summary>
public sealed class TaskRetryOptions
{
    /// <summary>By a policy.</summary>
    public TaskRetryOptions(RetryPolicy policy) => Policy = policy;

    /// <summary>By a handler.</summary>
    public TaskRetryOptions(AsyncRetryHandler handler) => Handler = handler;

    /// <summary>The policy, if it is one.</summary>
    public RetryPolicy? Policy { get; }

    /// <summary>The handler, if it is one.</summary>
    public AsyncRetryHandler? Handler { get; }

    /// <summary>By a policy.</summary>
    public static TaskRetryOptions FromRetryPolicy(RetryPolicy policy) => new(policy);

    /// <summary>By a handler.</summary>
    public static TaskRetryOptions FromRetryHandler(AsyncRetryHandler handler) => new(handler);

    /// <summary>By a handler that does not wait.</summary>
    public static TaskRetryOptions FromRetryHandler(RetryHandler handler) => new(context => Task.FromResult(handler(context)));
}
