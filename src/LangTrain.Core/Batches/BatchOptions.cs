namespace LangTrain.Core.Batches;

/// <summary>Sizes of batches. Immutable.</summary>
public sealed record BatchOptions
{
    /// <summary>Most requests of one batch.</summary>
    public int MaxLines { get; init; } = 50_000;

    /// <summary>Largest input file, in bytes.</summary>
    public long MaxBytes { get; init; } = 200L << 20;

    /// <summary>Lines of a chunk: what one step of the orchestration may work on.</summary>
    public int ChunkLines { get; init; } = 200;

    /// <summary>Most bytes of a chunk before it is closed.</summary>
    public int ChunkBytes { get; init; } = 8 << 20;

    /// <summary>Lines worked on at once.</summary>
    public int AtOnce { get; init; } = 32;

    /// <summary>After this a step begins no more lines, so that it ends well within a host's limit for activities.</summary>
    public TimeSpan StepTime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How often the row is looked at and its counts are written.</summary>
    public TimeSpan WatchTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Problems after which the check of an input file stops.</summary>
    public int MaxProblems { get; init; } = 100;
}
