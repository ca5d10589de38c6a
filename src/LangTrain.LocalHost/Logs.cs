using Microsoft.Extensions.Logging;

namespace LangTrain.LocalHost;

/// <summary>Everything that this project logs.</summary>
internal static partial class Logs
{
    [LoggerMessage(1, LogLevel.Error, "Function {Function} failed (invocation {InvocationId})")]
    public static partial void FunctionFailed(this ILogger logger, Exception failure, string function, string invocationId);

    [LoggerMessage(10, LogLevel.Warning, "Message {MessageId} of {Queue} failed, try {DequeueCount} of {MaxDequeueCount}")]
    public static partial void MessageFailed(this ILogger logger, Exception failure, string messageId, string queue, long dequeueCount, int maxDequeueCount);

    [LoggerMessage(11, LogLevel.Error, "Message {MessageId} of {Queue} went to the poison queue")]
    public static partial void MessagePoisoned(this ILogger logger, string messageId, string queue);

    [LoggerMessage(12, LogLevel.Warning, "Queue {Queue} cannot be read; trying again")]
    public static partial void QueueUnreachable(this ILogger logger, Exception failure, string queue);

    [LoggerMessage(20, LogLevel.Warning, "The schedule of timer {Function} cannot be kept; trying again")]
    public static partial void TimerStateUnreachable(this ILogger logger, Exception failure, string function);

    [LoggerMessage(30, LogLevel.Warning, "Orchestration {InstanceId} could not be stored or read; loading it again")]
    public static partial void InstanceReloads(this ILogger logger, Exception failure, string instanceId);

    [LoggerMessage(31, LogLevel.Error, "Orchestration {InstanceId} ({Name}) failed")]
    public static partial void OrchestrationFailed(this ILogger logger, Exception failure, string instanceId, string name);

    [LoggerMessage(32, LogLevel.Warning, "Activity {Activity} of {InstanceId} failed")]
    public static partial void ActivityFailed(this ILogger logger, Exception failure, string activity, string instanceId);

    [LoggerMessage(33, LogLevel.Information, "{Count} unfinished orchestrations go on")]
    public static partial void InstancesResumed(this ILogger logger, int count);

    [LoggerMessage(34, LogLevel.Warning, "The result of activity {Activity} of {InstanceId} could not be stored; trying again")]
    public static partial void ActivityResultUnstored(this ILogger logger, Exception failure, string activity, string instanceId);

    [LoggerMessage(35, LogLevel.Warning, "Unfinished orchestrations cannot be listed; trying again")]
    public static partial void InstancesUnlisted(this ILogger logger, Exception failure);

    [LoggerMessage(40, LogLevel.Warning, "Event {EventName} of connection {ConnectionId} could not be delivered to the app")]
    public static partial void RelayEventUndelivered(this ILogger logger, Exception failure, string eventName, string connectionId);

    [LoggerMessage(50, LogLevel.Warning, "The worker ended with status {Status}; starting it again in {Pause}")]
    public static partial void WorkerEnded(this ILogger logger, int status, TimeSpan pause);

    [LoggerMessage(51, LogLevel.Error, "Azurite ended by itself; the host cannot go on")]
    public static partial void AzuriteEnded(this ILogger logger);
}
