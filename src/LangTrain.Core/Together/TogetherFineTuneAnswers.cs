using System.Text.Json;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Together;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models;

namespace LangTrain.Core.Together;

/// <summary>Shows jobs and what happened in them the way the together-ai client reads them.</summary>
public static class TogetherFineTuneAnswers
{
    /// <summary>A job.</summary>
    public static TogetherFineTuneAnswer ToTogether(this FineTune job)
    {
        ArgumentNullException.ThrowIfNull(job);
        var (training, lora, onAll) = (job.Config.TrainingConfig, job.Config.LoraConfig, job.Config.TrainingConfig.LossOn == "all");
        return new()
        {
            Id = job.Id,
            Status = job.Requested == FineTuneControl.Cancel && !FineTuneStateMachine.IsTerminal(job.Status) ? "cancel_requested" : Word(job.Status),
            UserId = job.AccountId,
            CreatedAt = job.CreatedAt,
            UpdatedAt = job.FinishedAt ?? job.StartedAt ?? job.CreatedAt,
            StartedAt = job.StartedAt,
            Model = job.ModelId,
            ModelOutputName = job.FineTunedModelId,
            TrainingFile = job.Dataset.FileId,
            ValidationFile = job.Dataset.ValidationFileId,
            TrainingfileNumlines = job.Prepared?.Rows,
            Suffix = job.Suffix,
            NEpochs = training.Epochs,
            EpochsCompleted = job.Status == FineTuneStatus.Completed ? job.Progress.CurrentEpoch : Math.Max(0, job.Progress.CurrentEpoch - 1),
            BatchSize = training.BatchSize,
            LearningRate = training.LearningRate,
            LrScheduler = new TogetherLrScheduler(training.LrScheduler),
            WarmupRatio = training.WarmupRatio,
            WeightDecay = training.WeightDecay,
            MaxGradNorm = training.MaxGradNorm,
            MaxSeqLength = training.MaxSeqLength,
            Packing = training.Packing,
            RandomSeed = training.Seed,
            TrainOnInputs = onAll,
            TrainingMethod = job.Config.Objective == "dpo" ? new TogetherTrainingMethod("dpo", null, job.Config.Beta) : new TogetherTrainingMethod("sft", onAll, null),
            TrainingType = job.Config.Method == "full"
                ? new TogetherTrainingType("Full", null, null, null, null)
                : new TogetherTrainingType("Lora", lora.R, lora.Alpha, lora.Dropout, string.Join(',', lora.TargetModules)),
            TokenCount = job.Progress.Estimate?.TotalTokens,
            ParamCount = job.Progress.Estimate?.TrainableParameters,
            Progress = job.Status == FineTuneStatus.Running ? new TogetherProgress(job.Progress.EtaSeconds is not null, job.Progress.EtaSeconds ?? 0) : null,
            Error = job.Error,
        };
    }

    /// <summary>A status in their words.</summary>
    public static string Word(FineTuneStatus status) => status switch
    {
        FineTuneStatus.Created or FineTuneStatus.Validating => "pending",
        FineTuneStatus.Paused => "queued",
        FineTuneStatus.Failed => "error",
        _ => status.Word(),
    };

    /// <summary>An event; null where they have no word for it.</summary>
    public static TogetherEventAnswer? ToTogether(this JobEvent told, FineTune job)
    {
        ArgumentNullException.ThrowIfNull(told);
        var step = told.Type == JobEventTypes.Checkpoint && Numbers(told).TryGetValue("step", out var number) ? (int?)number : null;
        var type = told.Type switch
        {
            JobEventTypes.Checkpoint => "checkpoint_save",
            JobEventTypes.Log when told.Level == "warning" => "warning",
            JobEventTypes.Status when told.Status is { } word => FineTuneStatusWords.Find(word) switch
            {
                FineTuneStatus.Created or FineTuneStatus.Validating or FineTuneStatus.Queued => "job_pending",
                FineTuneStatus.Running => "job_start",
                FineTuneStatus.Completed => "job_complete",
                FineTuneStatus.Failed => "job_error",
                FineTuneStatus.Cancelled or FineTuneStatus.Paused => "job_stopped",
                _ => null,
            },
            _ => null,
        };
        return type is null ? null : new TogetherEventAnswer(
            told.Timestamp, type, told.Level ?? (type == "job_error" ? "error" : "info"), told.ToFineTuningEvent().Message, step, step is { } at ? CheckpointModels.IdOf(job, at) : null);
    }

    /// <summary>The stored states of a job's model, the newest first.</summary>
    /// <param name="job">The job.</param>
    /// <param name="stored">Its checkpoints, the newest first.</param>
    public static IReadOnlyList<TogetherCheckpointAnswer> ToTogether(this FineTune job, IReadOnlyList<FineTuningCheckpointAnswer> stored)
    {
        ArgumentNullException.ThrowIfNull(job);
        var found = stored.Select(one => new TogetherCheckpointAnswer(
            "Intermediate", DateTimeOffset.FromUnixTimeSeconds(one.CreatedAt), one.FineTunedModelCheckpoint, one.StepNumber));
        return job is { FineTunedModelId: { } made, FinishedAt: { } at }
            ? [new TogetherCheckpointAnswer("Final", at, made, job.Outcome?.WrittenStep ?? job.Progress.CurrentStep), .. found]
            : [.. found];
    }

    /// <summary>The numbers of an event, <c>global_step</c> among them.</summary>
    public static IReadOnlyDictionary<string, double> ToTogetherMetrics(this JobEvent told)
    {
        var numbers = Numbers(told);
        if (numbers.TryGetValue("step", out var step))
        {
            numbers["global_step"] = step;
        }

        return numbers;
    }

    private static Dictionary<string, double> Numbers(JobEvent told)
    {
        ArgumentNullException.ThrowIfNull(told);
        return told.Data is { ValueKind: JsonValueKind.Object } data
            ? data.EnumerateObject().Where(pair => pair.Value.ValueKind == JsonValueKind.Number).ToDictionary(pair => pair.Name, pair => pair.Value.GetDouble())
            : [];
    }
}
