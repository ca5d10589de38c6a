namespace LangTrain.Training;

/// <summary>Where a run reads and writes; nothing else on the disk is touched.</summary>
public sealed record TrainingFiles
{
    /// <summary>The base model, in Hugging Face layout.</summary>
    public required string BaseModelFolder { get; init; }

    /// <summary>The base model's public id, written into an adapter's <c>adapter_config.json</c>.</summary>
    public required string BaseModelName { get; init; }

    /// <summary>
    /// A PEFT folder with whose weights an adapter begins, and preferences are measured against; null begins with one that changes nothing. Its shape is the run's,
    /// whatever <see cref="TrainingOptions.Lora"/> says, but for dropout.
    /// </summary>
    public string? InitialAdapterFolder { get; init; }

    /// <summary>Training rows, JSONL in the canonical shapes.</summary>
    public required string TrainingFile { get; init; }

    /// <summary>Evaluation rows of the same shape, or null to hold out a share of the training rows.</summary>
    public string? EvaluationFile { get; init; }

    /// <summary>
    /// Checkpoints are written to this folder, and the newest good one in it is where the run goes on. The tokenized data is kept in a folder beside it,
    /// of the same name with <c>-tokens</c> at its end; it can be removed between runs.
    /// </summary>
    public required string CheckpointFolder { get; init; }

    /// <summary>
    /// Called when a run wants a checkpoint of at most so many steps, since it goes back, or could not use a newer one: puts the newest such one that is kept elsewhere, and the
    /// best one it knows, into <see cref="CheckpointFolder"/>, each whole or not at all. Null where none are kept elsewhere.
    /// </summary>
    public Action<int>? FetchCheckpoint { get; init; }

    /// <summary>Whether somebody still reads the checkpoint of a step, which then is not removed however many newer ones there are. Null is never.</summary>
    public Func<int, bool>? IsCheckpointInUse { get; init; }

    /// <summary>
    /// Whether a checkpoint that was made with other options or data is deleted and an older one, or the beginning, taken instead of refusing to train: for a folder
    /// that is this run's alone. False by default.
    /// </summary>
    public bool PassesOverForeignCheckpoints { get; init; }

    /// <summary>The result is written to this folder, which is made, or replaced file by file.</summary>
    public required string OutputFolder { get; init; }
}
