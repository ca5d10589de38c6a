using System.Globalization;
using System.Text.Json;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;
using LangTrain.Training;
using TrainingOutcome = LangTrain.Contracts.FineTunes.TrainingOutcome;

namespace LangTrain.Worker.FineTunes;

/// <summary>Stores what a job made: the adapter or the weights, with the outcome beside them, in a folder that is complete or not there.</summary>
/// <remarks>
/// Each claim has a folder of its own (<c>account/job/token</c>), so that a worker thought lost cannot write into another's result. The
/// folder that is complete first counts.
/// </remarks>
internal sealed class ArtifactStore(BlobFolder folders, IBlobStore blobs, WorkerOptions options)
{
    private const string OutcomeFile = "training_outcome.json";

    private string Container => options.Names.ModelsContainer;

    /// <summary>The outcome of an attempt that stored its result, or null.</summary>
    public async Task<TrainingOutcome?> FindFinishedAsync(FineTuneRef job, CancellationToken cancellation)
    {
        await foreach (var folder in folders.ListCompleteAsync(Container, Prefix(job), cancellation))
        {
            await using var stored = await blobs.OpenReadAsync(Container, Prefix(job) + folder + "/" + OutcomeFile, cancellation: cancellation);
            if (stored is not null)
            {
                return await JsonSerializer.DeserializeAsync(stored, WorkerJson.Default.TrainingOutcome, cancellation);
            }
        }

        return null;
    }

    /// <summary>Stores a result.</summary>
    public async Task<TrainingOutcome> StoreAsync(FineTune job, long leaseToken, TrainingResult result, CancellationToken cancellation)
    {
        var output = result.OutputFolder ?? throw new ArgumentException("Nothing was written.", nameof(result));
        var prefix = string.Create(CultureInfo.InvariantCulture, $"{Prefix(job.Ref())}{leaseToken}");
        var outcome = new TrainingOutcome
        {
            ArtifactPrefix = prefix,
            ArtifactKind = job.Config.Method == "full" ? "full" : "adapter",
            ArtifactBytes = new DirectoryInfo(output).EnumerateFiles().Sum(file => file.Length),
            TrainedTokens = result.TrainedTokens,
            Steps = result.Steps,
            TrainLoss = result.SmoothedLoss ?? result.FinalLoss ?? 0,
            EvalLoss = result.EvaluationLoss,
            EvalTokenAccuracy = result.EvaluationAccuracy,
            TrainingSeconds = result.Duration.TotalSeconds,
            ReloadMaxLogitDifference = result.Verification?.MaxLogitDifference,
            TrainableParameters = result.TrainableParameters,
            WrittenStep = result.WrittenStep,
            TensorsScanned = result.Verification?.Tensors,
            PromptsTried = result.Verification?.PromptsTried,
            PromptsEnded = result.Verification?.PromptsEnded,
            PromptsExact = result.Verification?.PromptsExact,
            PeakMemoryBytes = result.PeakMemoryBytes,
            EndsWithEos = result.Verification is { PromptsTried: > 0 } report ? report.PromptsEnded > 0 : null,
        };
        await File.WriteAllBytesAsync(
            Path.Combine(output, OutcomeFile), JsonSerializer.SerializeToUtf8Bytes(outcome, WorkerJson.Default.TrainingOutcome), cancellation);
        await DeleteUnfinishedAsync(job.Ref(), cancellation);
        await folders.UploadAsync(Container, prefix, output, cancellation: cancellation);
        return outcome;
    }

    private static string Prefix(FineTuneRef job) => $"{job.AccountId}/{job.JobId}/";

    /// <summary>Removes what attempts that died while storing have left; nothing complete is there, or it would have been found.</summary>
    private async Task DeleteUnfinishedAsync(FineTuneRef job, CancellationToken cancellation)
    {
        await foreach (var blob in blobs.ListAsync(Container, Prefix(job), cancellation))
        {
            await blobs.DeleteAsync(Container, blob.Name, cancellation);
        }
    }
}
