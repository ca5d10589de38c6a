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

    /// <summary>The outcome of an attempt that stored its result, the newest one whose files are all there; null when there is none.</summary>
    /// <remarks>A worker that was thought lost may have gone on storing while the one after it tidied up, and left a manifest of files that are gone.</remarks>
    public async Task<TrainingOutcome?> FindFinishedAsync(FineTuneRef job, CancellationToken cancellation)
    {
        var tokens = new List<long>();
        await foreach (var folder in folders.ListCompleteAsync(Container, Prefix(job), cancellation))
        {
            if (long.TryParse(folder, NumberStyles.None, CultureInfo.InvariantCulture, out var token))
            {
                tokens.Add(token);
            }
        }

        foreach (var token in tokens.OrderDescending())
        {
            if (!await folders.IsWholeAsync(Container, FolderOf(job, token), cancellation))
            {
                continue;
            }

            await using var stored = await folders.OpenFileAsync(Container, FolderOf(job, token), OutcomeFile, cancellation);
            if (stored is not null)
            {
                return await JsonSerializer.DeserializeAsync(stored, WorkerJson.Default.TrainingOutcome, cancellation);
            }
        }

        return null;
    }

    /// <summary>Stores a result.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; nothing that counts was stored.</exception>
    public async Task<TrainingOutcome> StoreAsync(FineTune job, long leaseToken, TrainingResult result, CancellationToken cancellation)
    {
        var output = result.OutputFolder ?? throw new ArgumentException("Nothing was written.", nameof(result));
        var prefix = FolderOf(job.Ref(), leaseToken);
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
        await DeleteUnfinishedAsync(job.Ref(), leaseToken, cancellation);
        await folders.UploadAsync(Container, prefix, output, cancellation: cancellation);
        return outcome;
    }

    /// <summary>Removes what a claim has stored of a result that is not wanted any more.</summary>
    public Task DeleteAsync(FineTuneRef job, long leaseToken, CancellationToken cancellation) => folders.DeleteAsync(Container, FolderOf(job, leaseToken), cancellation);

    private static string Prefix(FineTuneRef job) => $"{job.AccountId}/{job.JobId}/";

    private static string FolderOf(FineTuneRef job, long leaseToken) => string.Create(CultureInfo.InvariantCulture, $"{Prefix(job)}{leaseToken}");

    /// <summary>Removes what attempts before this one left that died while storing; nothing whole is there, or it would have been found.</summary>
    /// <remarks>Never what a later claim has: this worker may be the one that was thought lost.</remarks>
    private async Task DeleteUnfinishedAsync(FineTuneRef job, long leaseToken, CancellationToken cancellation)
    {
        await foreach (var blob in blobs.ListAsync(Container, Prefix(job), cancellation))
        {
            var folder = blob.Name[Prefix(job).Length..].Split('/')[0];
            if (long.TryParse(folder, NumberStyles.None, CultureInfo.InvariantCulture, out var token) && token < leaseToken)
            {
                await blobs.DeleteAsync(Container, blob.Name, cancellation);
            }
        }
    }
}
