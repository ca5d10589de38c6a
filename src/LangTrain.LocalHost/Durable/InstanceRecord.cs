using Azure;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace LangTrain.LocalHost.Durable;

/// <summary>The row of an orchestration: where it stands. Immutable.</summary>
internal sealed record InstanceRecord
{
    public required string InstanceId { get; init; }

    public required string Name { get; init; }

    public required OrchestrationRuntimeStatus Status { get; init; }

    /// <summary>Counts up with each start anew; history and answers of another generation are not this one's.</summary>
    public required int Generation { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset LastUpdatedAt { get; init; }

    /// <summary>Not before this time.</summary>
    public DateTimeOffset? StartAt { get; init; }

    public string? Input { get; init; }

    public string? Output { get; init; }

    public string? CustomStatus { get; init; }

    public TaskFailureDetails? Failure { get; init; }

    /// <summary>Version of the row that was read.</summary>
    public ETag ETag { get; init; }

    /// <summary>Whether it has ended.</summary>
    public bool IsEnded => Status is OrchestrationRuntimeStatus.Completed or OrchestrationRuntimeStatus.Failed
        or OrchestrationRuntimeStatus.Terminated or OrchestrationRuntimeStatus.Canceled;
}
