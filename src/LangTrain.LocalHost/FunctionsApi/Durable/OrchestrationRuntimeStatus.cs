namespace Microsoft.DurableTask.Client;

/// <summary>Where an instance stands.</summary>
public enum OrchestrationRuntimeStatus
{
    /// <summary>It has begun.</summary>
    Running = 0,

    /// <summary>It ended well.</summary>
    Completed = 1,

    /// <summary>It starts anew.</summary>
    ContinuedAsNew = 2,

    /// <summary>It threw.</summary>
    Failed = 3,

    /// <summary>It was cancelled.</summary>
    Canceled = 4,

    /// <summary>It was ended from outside.</summary>
    Terminated = 5,

    /// <summary>It has not begun.</summary>
    Pending = 6,

    /// <summary>It waits to be resumed.</summary>
    Suspended = 7,
}
