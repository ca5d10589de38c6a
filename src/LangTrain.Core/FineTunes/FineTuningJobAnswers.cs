using System.Globalization;
using LangTrain.Contracts.FineTunes;

namespace LangTrain.Core.FineTunes;

/// <summary>Shows jobs and their events the way OpenAI's API shows its own.</summary>
public static class FineTuningJobAnswers
{
    private const string EventPrefix = "ftevent-";

    /// <summary>The answer of a row.</summary>
    /// <param name="job">The row.</param>
    /// <param name="now">For the estimated end.</param>
    public static FineTuningJobAnswer ToFineTuningJob(this FineTune job, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(job);
        var training = job.Config.TrainingConfig;
        var numbers = new FineTuningHyperparametersAnswer
        {
            BatchSize = training.BatchSize,
            LearningRateMultiplier = Math.Round(training.LearningRate / FineTuningJobRequest.BaseLearningRate, 6),
            NEpochs = training.Epochs,
        };
        var method = job.Config.Objective == "dpo"
            ? new FineTuningMethodAnswer("dpo", Dpo: new FineTuningMethodNumbersAnswer(numbers with { Beta = job.Config.Beta }))
            : new FineTuningMethodAnswer("supervised", Supervised: new FineTuningMethodNumbersAnswer(numbers));
        var hasEnded = FineTuneStateMachine.IsTerminal(job.Status);
        return new FineTuningJobAnswer
        {
            Id = job.Id,
            Model = job.ModelId,
            CreatedAt = job.CreatedAt.ToUnixTimeSeconds(),
            FinishedAt = job.FinishedAt?.ToUnixTimeSeconds(),
            FineTunedModel = job.FineTunedModelId,
            OrganizationId = job.AccountId,
            ResultFiles = job.ResultFileId is { } file ? [file] : [],
            Status = Word(job.Status),
            TrainingFile = job.Dataset.FileId ?? job.Dataset.Url ?? "",
            ValidationFile = job.Dataset.ValidationFileId,
            Hyperparameters = numbers,
            Method = method,
            TrainedTokens = hasEnded ? job.Progress.TrainedTokens : null,
            Error = job.Error is { } error
                ? new FineTuningErrorAnswer(error.Code, error.Message, error.Code.StartsWith("dataset", StringComparison.Ordinal) ? "training_file" : null)
                : null,
            UserProvidedSuffix = job.Suffix,
            Seed = training.Seed,
            // Clients sleep until then: a moment that has passed would be no use to them, nor one that is lost to rounding.
            EstimatedFinish = job.Status == FineTuneStatus.Running && job.Progress.EtaSeconds is { } seconds
                ? now.AddSeconds(Math.Max(0, seconds)).ToUnixTimeSeconds() + 1
                : null,
            Metadata = job.Metadata,
        };
    }

    /// <summary>A status in OpenAI's words.</summary>
    public static string Word(FineTuneStatus status) => status switch
    {
        FineTuneStatus.Created or FineTuneStatus.Validating => "validating_files",
        FineTuneStatus.Completed => "succeeded",
        _ => status.Word(),
    };

    /// <summary>An event in OpenAI's shape.</summary>
    public static FineTuningEventAnswer ToFineTuningEvent(this JobEvent told)
    {
        ArgumentNullException.ThrowIfNull(told);
        return new FineTuningEventAnswer(
            IdOfEvent(told.JobId, told.Sequence),
            told.Timestamp.ToUnixTimeSeconds(),
            told.Level switch { "warning" => "warn", "error" => "error", _ => "info" },
            told.Message ?? MessageOf(told),
            told.Type is JobEventTypes.Metrics or JobEventTypes.Eval ? "metrics" : "message",
            told.Data);
    }

    /// <summary>The sequence number in an event's id; null where the id is none of this job's.</summary>
    public static long? SequenceOf(string jobId, string eventId)
    {
        ArgumentNullException.ThrowIfNull(eventId);
        var dash = eventId.LastIndexOf('-');
        return dash > 0 && long.TryParse(eventId.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            && eventId == IdOfEvent(jobId, sequence) ? sequence : null;
    }

    private static string IdOfEvent(string jobId, long sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"{EventPrefix}{jobId[(jobId.IndexOf('-', StringComparison.Ordinal) + 1)..]}-{sequence}");

    private static string MessageOf(JobEvent told)
    {
        switch (told.Type)
        {
            case JobEventTypes.Status when told.Status is { } word:
                return FineTuneStatusWords.Find(word) switch
                {
                    FineTuneStatus.Created => "Created fine-tuning job",
                    FineTuneStatus.Validating => "Validating training file",
                    FineTuneStatus.Queued => "Fine-tuning job is queued",
                    FineTuneStatus.Running => "Fine-tuning job started",
                    FineTuneStatus.Paused => "Fine-tuning job paused",
                    FineTuneStatus.Completed => "The job has successfully completed",
                    FineTuneStatus.Failed => "The job failed",
                    FineTuneStatus.Cancelled => "The job was cancelled",
                    _ => word,
                };
            case JobEventTypes.Metrics:
                return FormattableString.Invariant($"Step {Number(told, "step")}/{Number(told, "total_steps")}: training loss={Number(told, "loss"):0.00##}");
            case JobEventTypes.Eval:
                return FormattableString.Invariant($"Step {Number(told, "step")}: validation loss={Number(told, "eval_loss"):0.00##}");
            case JobEventTypes.Checkpoint:
                return FormattableString.Invariant($"Checkpoint created at step {Number(told, "step")}");
            case JobEventTypes.Rollback:
                return FormattableString.Invariant($"Training diverged and went back to step {Number(told, "step")}");
            default:
                return told.Type;
        }
    }

    private static double Number(JobEvent told, string name) => told.Number(name) ?? 0;
}
