using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Training.Observation;

namespace LangTrain.Worker.FineTunes;

/// <summary>Tells the service what the training tells: events to the reporter, progress to the lease, checkpoints to the uploader.</summary>
/// <remarks>Called on the training thread; never waits.</remarks>
internal sealed class TrainingProgressObserver(JobEventReporter reporter, JobLease lease, CheckpointUploader checkpoints) : ITrainingObserver
{
    private readonly double _secondsBefore = lease.Job.Progress.TrainingSeconds;
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private FineTuneProgress _progress = lease.Job.Progress;
    private int _samples, _sampledStep = -1;

    /// <inheritdoc/>
    public void OnLog(TrainingLogLevel level, string message) =>
        reporter.Log(level == TrainingLogLevel.Warning ? "warning" : "info", message);

    /// <summary>Puts on the job what its training takes.</summary>
    public void OnEstimate(TrainingEstimateAnswer estimate)
    {
        _progress = _progress with { Estimate = estimate, TotalSteps = estimate.TotalSteps };
        lease.Report(_progress);
        reporter.Log("info", string.Create(CultureInfo.InvariantCulture,
            $"About {estimate.TotalSteps:N0} steps over {estimate.TotalTokens:N0} tokens, {estimate.MemoryBytes / 1e9:0.0} GB of memory, {TimeSpan.FromSeconds(Math.Ceiling(estimate.TrainingSeconds)):c} on this worker."));
        if (estimate.Fits == false)
        {
            reporter.Log("warning", string.Create(CultureInfo.InvariantCulture,
                $"This worker has {estimate.DeviceMemoryBytes / 1e9:0.0} GB of memory, which may not be enough. A smaller batch_size or max_seq_length, activation_checkpointing, or method qlora needs less."));
        }
    }

    /// <inheritdoc/>
    public void OnMetrics(TrainingMetrics metrics)
    {
        _progress = _progress with
        {
            CurrentEpoch = Math.Max(1, (int)Math.Ceiling(metrics.Epoch - 1e-9)),
            CurrentStep = metrics.Step,
            TotalSteps = metrics.TotalSteps,
            TrainLoss = metrics.SmoothedLoss, // the events carry each step's own
            LearningRate = metrics.LearningRate,
            TokensPerSecond = metrics.TokensPerSecond,
            EtaSeconds = metrics.EtaSeconds,
            TrainedTokens = metrics.TrainedTokens,
            TrainingSeconds = _secondsBefore + Stopwatch.GetElapsedTime(_startedAt).TotalSeconds,
        };
        lease.Report(_progress);
        reporter.Data(JobEventTypes.Metrics, Key("metrics", metrics.Step, metrics.Rollbacks), Json(writer =>
        {
            writer.WriteNumber("epoch", Math.Round(metrics.Epoch, 4));
            writer.WriteNumber("step", metrics.Step);
            writer.WriteNumber("total_steps", metrics.TotalSteps);
            writer.WriteNumber("loss", metrics.Loss);
            writer.WriteNumber("learning_rate", metrics.LearningRate);
            writer.WriteNumber("grad_norm", metrics.GradientNorm);
            writer.WriteNumber("tokens_per_second", Math.Round(metrics.TokensPerSecond, 1));
            writer.WriteNumber("eta_seconds", Math.Round(metrics.EtaSeconds, 1));
            writer.WriteNumber("memory_bytes", metrics.MemoryBytes);
            if (metrics is { RewardMargin: { } margin, RewardAccuracy: { } accuracy })
            {
                writer.WriteNumber("reward_margin", margin);
                writer.WriteNumber("reward_accuracy", accuracy);
            }
        }));
    }

    /// <inheritdoc/>
    public void OnEvaluation(EvaluationMetrics metrics)
    {
        _progress = _progress with { EvalLoss = metrics.Loss, EvalTokenAccuracy = metrics.TokenAccuracy };
        lease.Report(_progress);
        reporter.Data(JobEventTypes.Eval, Key("eval", metrics.Step, metrics.Rollbacks), Json(writer =>
        {
            writer.WriteNumber("step", metrics.Step);
            writer.WriteNumber("epoch", Math.Round(metrics.Epoch, 4));
            writer.WriteNumber("eval_loss", metrics.Loss);
            writer.WriteNumber("token_accuracy", metrics.TokenAccuracy);
            writer.WriteBoolean("best", metrics.IsBest);
        }));
    }

    /// <inheritdoc/>
    public void OnCheckpoint(CheckpointWritten checkpoint) => checkpoints.Offer(checkpoint);

    /// <inheritdoc/>
    public void OnSample(SampleText sample)
    {
        // Counted within the step, so that an attempt that tells a step again gives its samples the same keys.
        _samples = sample.Step == _sampledStep ? _samples + 1 : 1;
        _sampledStep = sample.Step;
        reporter.Data(JobEventTypes.Sample, Key(string.Create(CultureInfo.InvariantCulture, $"sample-{_samples}"), sample.Step, sample.Rollbacks), Json(writer =>
        {
            writer.WriteNumber("step", sample.Step);
            writer.WriteString("prompt", sample.Prompt);
            writer.WriteString("text", sample.Completion);
            writer.WriteString("expected", sample.Expected);
        }));
    }

    /// <inheritdoc/>
    public void OnRolledBack(RolledBack back)
    {
        _progress = _progress with
        {
            CurrentStep = back.Step, TrainLoss = back.Loss, EvalLoss = back.EvaluationLoss, EvalTokenAccuracy = back.EvaluationAccuracy, TrainedTokens = back.TrainedTokens,
        };
        lease.Report(_progress);
        // Stored before any number of the steps that are made anew, so that a reader knows which of two tellings holds, and which step was never told again.
        reporter.Data(JobEventTypes.Rollback, string.Create(CultureInfo.InvariantCulture, $"rollback-{back.Rollbacks}"), Json(writer =>
        {
            writer.WriteNumber("step", back.Step);
            writer.WriteNumber("rollbacks", back.Rollbacks);
        }));
        checkpoints.GoBackTo(back.Step);
    }

    /// <summary>An event's data object.</summary>
    internal static JsonElement Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return JsonSerializer.Deserialize(buffer.ToArray(), WorkerJson.Default.JsonElement);
    }

    /// <summary>A key for what happened at a step: another one for each time the run went back before it.</summary>
    internal static string Key(string what, int step, int rollbacks) => rollbacks == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{what}-{step}")
        : string.Create(CultureInfo.InvariantCulture, $"{what}-{step}-r{rollbacks}");
}
