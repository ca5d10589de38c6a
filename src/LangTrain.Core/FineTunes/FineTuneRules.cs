using LangTrain.Contracts.FineTunes;

namespace LangTrain.Core.FineTunes;

/// <summary>What becomes of a job by what happened to it: functions of the row alone, so that deciding twice decides the same.</summary>
internal static class FineTuneRules
{
    /// <summary>What a signal or, without one, the look at the clock asks for; null when nothing.</summary>
    /// <remarks>Not for <see cref="FineTuneSignalKind.Succeeded"/>, which makes a model first: see <see cref="SettleFineTune"/>.</remarks>
    public static FineTuneChange? Decide(FineTune job, FineTuneSignal? signal, DateTimeOffset now, FineTuneOptions options)
    {
        if (FineTuneStateMachine.IsTerminal(job.Status))
        {
            return null;
        }

        if (job.Status != FineTuneStatus.Running)
        {
            return Grant(job);
        }

        if (signal is not null && IsFromHolder(job, signal))
        {
            return signal.Kind switch
            {
                FineTuneSignalKind.Failed when !signal.Retryable =>
                    Fail(job, signal.Error ?? new JobError("training_failed", "The training failed.")),
                FineTuneSignalKind.Failed => TryAgain(job, options, signal.Error, $"The attempt failed by an error of the system. {signal.Error?.Message}".TrimEnd()),
                FineTuneSignalKind.Released => GiveBack(job),
                FineTuneSignalKind.Cancelled => new FineTuneChange(job with { Status = FineTuneStatus.Cancelled }),
                // The owner may have asked for something else by the time the worker has stopped.
                FineTuneSignalKind.Paused => job.Requested == FineTuneControl.None ? GiveBack(job) : StopAsRequested(job),
                _ => null,
            };
        }

        return job.Lease is { } lease && now > lease.ExpiresAt
            ? TryAgain(job, options, null, "Nothing was heard of the worker for too long, it counts as lost.")
            : null;
    }

    /// <summary>Does what the owner asked for, where no worker has to do it first; null when there is nothing to do now.</summary>
    public static FineTuneChange? Grant(FineTune job) => (job.Requested, job.Status) switch
    {
        (FineTuneControl.Cancel, FineTuneStatus.Created or FineTuneStatus.Validating or FineTuneStatus.Queued or FineTuneStatus.Paused) =>
            new FineTuneChange(job with { Status = FineTuneStatus.Cancelled }),
        (FineTuneControl.Pause, FineTuneStatus.Queued) => new FineTuneChange(job with { Status = FineTuneStatus.Paused, Requested = FineTuneControl.None }),
        (FineTuneControl.Resume, FineTuneStatus.Paused) => Queue(job with { Requested = FineTuneControl.None }),
        _ => null,
    };

    /// <summary>The job queued for its next attempt.</summary>
    public static FineTuneChange Queue(FineTune job, params IReadOnlyList<JobLine> lines) => new(
        job with { Status = FineTuneStatus.Queued, Attempt = job.Attempt + 1, Progress = job.Progress with { EtaSeconds = null, TokensPerSecond = null } },
        lines);

    /// <summary>The job ended with an error.</summary>
    public static FineTuneChange Fail(FineTune job, JobError error, params IReadOnlyList<JobLine> lines) => new(
        job with { Status = FineTuneStatus.Failed, Error = error, Progress = job.Progress with { EtaSeconds = null } },
        [.. lines, new JobLine(error.Message, "error")]);

    /// <summary>Whether the signal is of the attempt and lease that the row shows.</summary>
    public static bool IsFromHolder(FineTune job, FineTuneSignal signal) =>
        job.Status == FineTuneStatus.Running && signal.Attempt == job.Attempt && signal.LeaseToken == job.Lease?.Token;

    private static FineTuneChange GiveBack(FineTune job) => job.Requested is FineTuneControl.Cancel or FineTuneControl.Pause
        ? StopAsRequested(job)
        : Queue(job, new JobLine("The worker gave the job back; it goes on from its checkpoint."));

    private static FineTuneChange TryAgain(FineTune job, FineTuneOptions options, JobError? error, string what)
    {
        if (job.Requested is FineTuneControl.Cancel or FineTuneControl.Pause)
        {
            return StopAsRequested(job);
        }

        var failures = job.Failures + 1;
        if (failures >= options.MaxFailures)
        {
            var last = error ?? new JobError("worker_lost", $"The worker was lost {failures} times.");
            return Fail(job with { Failures = failures }, last, new JobLine($"{what} That was failure {failures} of {options.MaxFailures}.", "warning"));
        }

        return Queue(job with { Failures = failures },
            new JobLine($"{what} The job is queued again and goes on from its checkpoint (failure {failures} of {options.MaxFailures}).", "warning"));
    }

    /// <summary>The job stopped as its owner asked: cancelled or paused.</summary>
    public static FineTuneChange StopAsRequested(FineTune job) => job.Requested == FineTuneControl.Cancel
        ? new FineTuneChange(job with { Status = FineTuneStatus.Cancelled })
        : new FineTuneChange(job with { Status = FineTuneStatus.Paused, Requested = FineTuneControl.None });
}
