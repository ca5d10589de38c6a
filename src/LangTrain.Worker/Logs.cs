namespace LangTrain.Worker;

/// <summary>Every log line of this project.</summary>
internal static partial class Logs
{
    private static readonly Func<ILogger, string, IDisposable?> JobScope = LoggerMessage.DefineScope<string>("Job {JobId}");

    /// <summary>Every line inside belongs to this job.</summary>
    public static IDisposable? OfJob(this ILogger logger, string jobId) => JobScope(logger, jobId);

    [LoggerMessage(1, LogLevel.Information, "Worker {Worker} takes jobs from queue {Queue}, {Concurrency} at once")]
    public static partial void TakingJobs(this ILogger logger, string worker, string queue, int concurrency);

    [LoggerMessage(2, LogLevel.Information, "Attempt {Attempt} of job {JobId} begins")]
    public static partial void AttemptBegins(this ILogger logger, int attempt, string jobId);

    [LoggerMessage(3, LogLevel.Information, "Attempt {Attempt} of job {JobId} ended: {End}")]
    public static partial void AttemptEnded(this ILogger logger, int attempt, string jobId, string end);

    [LoggerMessage(4, LogLevel.Error, "Attempt {Attempt} of job {JobId} failed")]
    public static partial void AttemptFailed(this ILogger logger, Exception failure, int attempt, string jobId);

    [LoggerMessage(5, LogLevel.Warning, "Heartbeat of job {JobId} failed; trying again")]
    public static partial void HeartbeatFailed(this ILogger logger, Exception failure, string jobId);

    [LoggerMessage(6, LogLevel.Information, "Dropped a message for attempt {Attempt} of job {JobId}: the job no longer waits for it")]
    public static partial void StaleMessage(this ILogger logger, int attempt, string jobId);

    [LoggerMessage(7, LogLevel.Warning, "The queue of jobs does not answer; trying again in {Delay}")]
    public static partial void QueueFailed(this ILogger logger, Exception failure, TimeSpan delay);

    [LoggerMessage(8, LogLevel.Warning, "Events of job {JobId} could not be stored; trying again in {Delay}")]
    public static partial void EventsFailed(this ILogger logger, Exception failure, string jobId, TimeSpan delay);

    [LoggerMessage(9, LogLevel.Warning, "Checkpoint {Step} of job {JobId} could not be stored; the next one will be tried")]
    public static partial void CheckpointFailed(this ILogger logger, Exception failure, int step, string jobId);

    [LoggerMessage(13, LogLevel.Warning, "The message of attempt {Attempt} of job {JobId} could not be deleted; it will come again and be found stale")]
    public static partial void MessageStays(this ILogger logger, Exception failure, int attempt, string jobId);

    [LoggerMessage(14, LogLevel.Warning, "It is not known whether attempt {Attempt} of job {JobId} was claimed; the job is read again")]
    public static partial void ClaimUnsure(this ILogger logger, Exception failure, int attempt, string jobId);

    [LoggerMessage(15, LogLevel.Warning, "The end of the attempt at job {JobId} could not be told; trying again in {Delay}")]
    public static partial void SignalFailed(this ILogger logger, Exception failure, string jobId, TimeSpan delay);

    [LoggerMessage(16, LogLevel.Warning, "What was stored of the cancelled job {JobId} could not be removed")]
    public static partial void ResultStays(this ILogger logger, Exception failure, string jobId);

    [LoggerMessage(12, LogLevel.Warning, "The stored checkpoint {Step} of job {JobId} is damaged and passed over")]
    public static partial void CheckpointDamaged(this ILogger logger, Exception damaged, int step, string jobId);

    [LoggerMessage(10, LogLevel.Error, "Request {RequestId} for {ModelId} failed")]
    public static partial void GenerationFailed(this ILogger logger, Exception failure, string requestId, string modelId);

    [LoggerMessage(11, LogLevel.Error, "The estimate of request {RequestId} failed")]
    public static partial void EstimateFailed(this ILogger logger, Exception failure, string requestId);
}
