using Microsoft.Extensions.Logging;

namespace LangTrain.Functions;

/// <summary>What the app logs.</summary>
internal static partial class Logs
{
    [LoggerMessage(1, LogLevel.Error, "{Function} failed in request {RequestId}")]
    public static partial void RequestFailed(this ILogger logger, Exception exception, string function, string requestId);

    [LoggerMessage(2, LogLevel.Debug, "The client of {Function} went away ({Exception})")]
    public static partial void ClientWentAway(this ILogger logger, string function, string exception);

    [LoggerMessage(3, LogLevel.Warning, "Usage could not be stored; it is kept and tried again")]
    public static partial void UsageNotStored(this ILogger logger, Exception exception);

    [LoggerMessage(4, LogLevel.Error, "A stream failed in request {RequestId}")]
    public static partial void StreamFailed(this ILogger logger, Exception exception, string requestId);

    [LoggerMessage(5, LogLevel.Error, "The first account and the base models could not be prepared")]
    public static partial void NotPrepared(this ILogger logger, Exception exception);
}
