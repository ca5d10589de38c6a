namespace LangTrain.LocalHost.Durable;

/// <summary>Something that an orchestrator asked for: an activity (with a name) or a timer (with a time). Immutable.</summary>
internal sealed record ScheduledTask
{
    /// <summary>Number in the order in which the orchestrator asked, from 0 in each generation.</summary>
    public required int Id { get; init; }

    /// <summary>Name of the activity; null for a timer.</summary>
    public string? Activity { get; init; }

    /// <summary>Input of the activity as JSON.</summary>
    public string? Input { get; init; }

    /// <summary>Time of the timer, UTC.</summary>
    public DateTime FireAt { get; init; }

    /// <summary>Whether both are the same request, as far as a replay has to repeat it.</summary>
    public bool Repeats(ScheduledTask other) => Id == other.Id && string.Equals(Activity, other.Activity, StringComparison.OrdinalIgnoreCase);

    public override string ToString() => Activity is null ? $"timer #{Id}" : $"activity '{Activity}' #{Id}";
}
