using System.Globalization;
using LangTrain.Contracts.FineTunes;

namespace LangTrain.Core.FineTunes;

/// <summary>Shows a job's row the way the API shows it.</summary>
public static class FineTuneAnswers
{
    /// <summary>The answer of a row.</summary>
    /// <param name="job">The row.</param>
    /// <param name="baseUrl">Base of the API as the caller reached it, without a slash at its end; for <c>logs_url</c>.</param>
    public static FineTuneAnswer ToAnswer(this FineTune job, string baseUrl)
    {
        ArgumentNullException.ThrowIfNull(job);
        var progress = job.Progress;
        var isRunning = job.Status == FineTuneStatus.Running;
        return new FineTuneAnswer
        {
            Id = job.Id,
            Name = job.Name ?? string.Create(CultureInfo.InvariantCulture, $"{job.ModelId} - {job.CreatedAt:yyyy-MM-dd HH:mm}"),
            ModelId = job.ModelId,
            Status = job.Status.Word(),
            Progress = Percent(job),
            CurrentEpoch = progress.CurrentEpoch,
            TotalEpochs = job.Config.TrainingConfig.Epochs,
            CurrentStep = progress.CurrentStep,
            TotalSteps = progress.TotalSteps,
            Metrics = new FineTuneMetricsAnswer
            {
                TrainLoss = progress.TrainLoss,
                EvalLoss = progress.EvalLoss,
                EvalTokenAccuracy = progress.EvalTokenAccuracy,
                LearningRate = progress.LearningRate,
                TokensPerSecond = progress.TokensPerSecond,
            },
            EtaMinutes = isRunning && progress.EtaSeconds is { } seconds ? Math.Round(seconds / 60, 2) : null,
            Dataset = new FineTuneDatasetAnswer
            {
                Url = job.Dataset.Url,
                FileId = job.Dataset.FileId,
                ValidationFileId = job.Dataset.ValidationFileId,
                Format = job.Prepared?.Format,
                Rows = job.Prepared?.Rows,
                ValidationRows = job.Prepared?.ValidationRows,
                Sha256 = job.Prepared?.Sha256,
                Warnings = job.Prepared?.Warnings,
            },
            Config = job.Config,
            FineTunedModel = job.FineTunedModelId,
            Error = job.Error,
            LogsUrl = $"{baseUrl}/fine-tunes/{job.Id}/logs",
            CreatedAt = job.CreatedAt.ToUnixTimeSeconds(),
            StartedAt = job.StartedAt?.ToUnixTimeSeconds(),
            FinishedAt = job.FinishedAt?.ToUnixTimeSeconds(),
            TrainedTokens = progress.TrainedTokens,
            Estimate = progress.Estimate,
            Artifacts = job.Outcome is { } made
                ? new FineTuneArtifactsAnswer(made.ArtifactKind, made.ArtifactBytes, made.TrainingSeconds, made.ReloadMaxLogitDifference, made.EndsWithEos)
                {
                    TrainableParameters = made.TrainableParameters > 0 ? made.TrainableParameters : null,
                    WrittenStep = made.WrittenStep,
                    TensorsScanned = made.TensorsScanned,
                    PromptsTried = made.PromptsTried,
                    PromptsEnded = made.PromptsEnded,
                    PromptsExact = made.PromptsExact,
                    PeakMemoryBytes = made.PeakMemoryBytes,
                }
                : null,
            Metadata = job.Metadata,
            Model = job.ModelId,
            TrainingFile = job.Dataset.FileId,
            ValidationFile = job.Dataset.ValidationFileId,
            ModelOutputName = job.FineTunedModelId,
            UserId = job.AccountId,
        };
    }

    // Early stopping ends before the last step, and the last step is not the end: storing and verifying follow.
    private static double Percent(FineTune job) => job.Status == FineTuneStatus.Completed
        ? 100
        : job.Progress.TotalSteps == 0 ? 0 : Math.Round(Math.Min(99.0, 100.0 * job.Progress.CurrentStep / job.Progress.TotalSteps), 1);
}
