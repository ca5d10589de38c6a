namespace LangTrain.Training.Checkpoints;

/// <summary>What whoever stores checkpoints elsewhere may read in one.</summary>
public static class CheckpointFacts
{
    /// <summary>The step whose checkpoint has the best evaluation loss so far; a run that goes on wants that one too.</summary>
    /// <param name="folder">A complete checkpoint.</param>
    /// <returns>The step; null without evaluation, or if the folder is no checkpoint of this build.</returns>
    public static int? BestStepOf(string folder)
    {
        try
        {
            return TrainingState.FromStored(folder).BestStep;
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
