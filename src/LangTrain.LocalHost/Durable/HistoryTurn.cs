namespace LangTrain.LocalHost.Durable;

/// <summary>One turn of an orchestrator: what had reached it, and what it asked for then. A history is a list of turns. Immutable once stored.</summary>
internal sealed record HistoryTurn
{
    /// <summary>The orchestrator's time in this turn, UTC.</summary>
    public required DateTime At { get; init; }

    /// <summary>What it was given, in order.</summary>
    public required IReadOnlyList<DurableMessage> Received { get; init; }

    /// <summary>What it asked for, in order.</summary>
    public IReadOnlyList<ScheduledTask> Scheduled { get; init; } = [];

    /// <summary>Timers that it gave up.</summary>
    public IReadOnlyList<int> Cancelled { get; init; } = [];
}
