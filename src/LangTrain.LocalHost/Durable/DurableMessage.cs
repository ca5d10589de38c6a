using Microsoft.DurableTask;

namespace LangTrain.LocalHost.Durable;

/// <summary>One thing that reached an orchestration: a row of its inbox first, part of its history once it was handled. Immutable.</summary>
internal sealed record DurableMessage
{
    public required DurableMessageKind Kind { get; init; }

    /// <summary>The generation that it belongs to; null for what comes from outside and is for any.</summary>
    public int? Generation { get; init; }

    /// <summary>The activity or timer that it answers.</summary>
    public int TaskId { get; init; }

    /// <summary>Name of an event.</summary>
    public string? Name { get; init; }

    /// <summary>Result, event payload or output as JSON.</summary>
    public string? Payload { get; init; }

    /// <summary>Why an activity failed.</summary>
    public TaskFailureDetails? Failure { get; init; }

    /// <summary>With <see cref="DurableMessageKind.Start"/>: events that an earlier generation did not wait for.</summary>
    public IReadOnlyList<DurableMessage>? Carried { get; init; }
}
