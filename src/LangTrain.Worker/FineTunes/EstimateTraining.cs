using LangTrain.Contracts.FineTunes;
using LangTrain.Training;
using LangTrain.Worker.Models;

namespace LangTrain.Worker.FineTunes;

/// <summary>Reckons what a fine-tune would take on this worker: from the model's files, rows of its data and the device's speed. Thread-safe.</summary>
internal sealed class EstimateTraining(ModelFiles models, WorkerOptions options, TimeProvider time) : IDisposable
{
    // Tokenizing takes all cores; estimates that come together take turns.
    private readonly SemaphoreSlim _oneAtATime = new(1);

    /// <summary>Estimates.</summary>
    /// <exception cref="Training.Data.TrainingDataException">A row cannot be used.</exception>
    /// <exception cref="ModelFilesMissingException">The model's files are not there.</exception>
    public async Task<TrainingEstimateAnswer> ExecuteAsync(EstimateWorkItem item, CancellationToken cancellation)
    {
        var modelFolder = await models.GetFolderAsync(item.BaseModel, cancellation);
        await _oneAtATime.WaitAsync(cancellation);
        try
        {
            using var folder = new ScratchFolder(Path.Combine(options.ScratchDirectory, "estimates"), Guid.NewGuid().ToString("N"));
            var scratch = folder.FullName;
            var files = new TrainingFiles
            {
                BaseModelFolder = modelFolder,
                BaseModelName = item.BaseModel.Folder,
                InitialAdapterFolder = item.StartAdapter is { } start ? await models.GetFolderAsync(start, cancellation) : null,
                TrainingFile = Path.Combine(scratch, "train.jsonl"),
                CheckpointFolder = Path.Combine(scratch, "checkpoints"),
                OutputFolder = Path.Combine(scratch, "output"),
            };
            await File.WriteAllLinesAsync(files.TrainingFile, item.Rows, cancellation);
            var recipe = TrainFineTune.Recipe(TrainFineTune.Options(item.Config), files, SilentObserver.Instance, new TrainingControl(cancellation), time);
            return ToAnswer(recipe.Estimate(item.TotalRows, item.EvaluationRows));
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _oneAtATime.Dispose();

    /// <summary>The learning island's numbers in the service's words.</summary>
    internal static TrainingEstimateAnswer ToAnswer(TrainingEstimate estimate) => new()
    {
        Exact = estimate.IsExact,
        TokensPerEpoch = estimate.TokensPerEpoch,
        TrainedTokensPerEpoch = estimate.TrainedTokensPerEpoch,
        TotalTokens = estimate.TotalTokens,
        TotalSteps = estimate.TotalSteps,
        LongestRowTokens = estimate.LongestRowTokens,
        OverlongRows = estimate.TooLongRows,
        TrainableParameters = estimate.TrainableParameters,
        ModelParameters = estimate.ModelParameters,
        MemoryBytes = estimate.MemoryBytes,
        DeviceMemoryBytes = estimate.DeviceMemoryBytes,
        Fits = estimate.DeviceMemoryBytes is { } device ? estimate.MemoryBytes <= device : null,
        TrainingSeconds = Math.Round(estimate.Duration.TotalSeconds, 1),
    };
}
