using Microsoft.DurableTask;

namespace LangTrain.LocalHost.Durable;

/// <summary>What a turn led to.</summary>
internal sealed record TurnOutcome
{
    /// <summary>The turn, complete.</summary>
    public required HistoryTurn Turn { get; init; }

    /// <summary>Whether the orchestrator returned or threw.</summary>
    public bool IsEnded { get; init; }

    /// <summary>What it returned, as JSON.</summary>
    public string? Output { get; init; }

    /// <summary>Why it failed.</summary>
    public TaskFailureDetails? Failure { get; init; }

    /// <summary>What it threw, for the log.</summary>
    public Exception? Thrown { get; init; }

    /// <summary>The start message of its next generation, and the input in it.</summary>
    public (DurableMessage Start, string? Input)? Restart { get; init; }

    /// <summary>Its custom status, as JSON.</summary>
    public string? CustomStatus { get; init; }
}
