namespace LangTrain.Training.Checkpoints;

/// <summary>A checkpoint was made with other options or other data than the run that wants to go on from it.</summary>
public sealed class CheckpointMismatchException(string message) : Exception(message);
