namespace LangTrain.Core.FineTunes;

/// <summary>Numbers by which fine-tunes are run. Immutable.</summary>
public sealed record FineTuneOptions
{
    /// <summary>How often a job is looked at while nothing is heard of it: what a lost worker costs beyond its lease.</summary>
    public TimeSpan WatchInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>As <see cref="WatchInterval"/>, for paused jobs, where there is nothing to lose.</summary>
    public TimeSpan PausedWatchInterval { get; init; } = TimeSpan.FromHours(6);

    /// <summary>Attempts that may end by a lost worker or a system error before the job fails.</summary>
    public int MaxFailures { get; init; } = 3;
}
