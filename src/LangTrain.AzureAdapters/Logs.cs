using Microsoft.Extensions.Logging;

namespace LangTrain.AzureAdapters;

/// <summary>What the adapters log. Nothing here carries a key, a token or an address with one in it.</summary>
internal static partial class Logs
{
    [LoggerMessage(1, LogLevel.Error, "A message of queue {Queue} was moved to its poison queue: {MessageId}, received {DequeueCount} times.")]
    public static partial void MessagePoisoned(ILogger logger, string queue, string messageId, long dequeueCount);

    [LoggerMessage(2, LogLevel.Warning, "Events of jobs cannot be sent to Web PubSub ({Reason}); trying again in {Delay}.")]
    public static partial void RelayRetries(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(3, LogLevel.Error, "Event {Sequence} of job {JobId} was refused by Web PubSub ({Reason}) and is left out.")]
    public static partial void RelayRefused(ILogger logger, string jobId, long sequence, string reason);

    [LoggerMessage(4, LogLevel.Information, "Events {First} to {Last} of job {JobId} did not fit into the relay's memory; they are read again from the log.")]
    public static partial void RelayRereads(ILogger logger, string jobId, long first, long last);

    [LoggerMessage(5, LogLevel.Error, "The relay failed on job {JobId}; it goes on with the next.")]
    public static partial void RelayFailed(ILogger logger, string jobId, Exception failure);

    [LoggerMessage(6, LogLevel.Error, "Web PubSub did not end the connections of the API key {KeyId}, which is no longer valid ({Reason}): they stay until their clients leave.")]
    public static partial void RelayKeptConnections(ILogger logger, string keyId, string reason);
}
