namespace LangTrain.Training.Observation;

/// <summary>A checkpoint whose folder is complete: every file is on disk and the manifest names its hash.</summary>
/// <param name="Folder">The folder <c>step-N</c>; it stays until two more checkpoints have been written, and as long as <see cref="TrainingFiles.IsCheckpointInUse"/> says.</param>
/// <param name="Step">Optimizer steps made before it.</param>
/// <param name="SizeBytes">All files together.</param>
/// <param name="IsBest">True if it holds the weights of the lowest evaluation loss up to now.</param>
public sealed record CheckpointWritten(string Folder, int Step, long SizeBytes, bool IsBest)
{
    /// <summary>How often the run had gone back to an earlier checkpoint.</summary>
    public int Rollbacks { get; init; }
}
