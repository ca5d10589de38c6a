using System.Text.Json;

namespace LangTrain.Training.Checkpoints;

/// <summary>What whoever stores checkpoints elsewhere may read in one.</summary>
public static class CheckpointFacts
{
    /// <summary>The file of a checkpoint that has these facts.</summary>
    public const string StateFile = TrainingState.FileName;

    /// <summary>Whether every file that a checkpoint's manifest names is there with its size and hash.</summary>
    public static bool IsIntact(string folder) => CheckpointStore.IsIntact(folder);

    /// <summary>The step whose checkpoint has the best evaluation loss so far; a run that goes on wants that one too.</summary>
    /// <param name="folder">A complete checkpoint.</param>
    /// <returns>The step; null without evaluation, or if the folder is no checkpoint of this build.</returns>
    public static int? BestStepOf(string folder)
    {
        try
        {
            return TrainingState.FromStored(folder).BestStep;
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or JsonException)
        {
            return null;
        }
    }

    /// <inheritdoc cref="BestStepOf"/>
    /// <param name="state">Content of its <see cref="StateFile"/>.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="IOException">The content cannot be read.</exception>
    public static async Task<int?> BestStepOfAsync(Stream state, CancellationToken cancellation)
    {
        try
        {
            return (await JsonSerializer.DeserializeAsync(state, CheckpointJsonContext.Default.TrainingState, cancellation))?.BestStep;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
