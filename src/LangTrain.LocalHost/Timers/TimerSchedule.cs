using System.Globalization;
using Cronos;
using LangTrain.LocalHost.Processes;

namespace LangTrain.LocalHost.Timers;

/// <summary>When a timer function runs: NCrontab's six fields (seconds first; five without), or a time span. All in UTC. Immutable.</summary>
internal sealed class TimerSchedule
{
    private readonly CronExpression? _cron;
    private readonly TimeSpan _interval;

    private TimerSchedule(CronExpression? cron, TimeSpan interval)
    {
        _cron = cron;
        _interval = interval;
    }

    /// <summary>Reads an expression.</summary>
    /// <exception cref="StartFailedException">It is neither.</exception>
    public static TimerSchedule Parse(string function, string expression)
    {
        if (TimeSpan.TryParse(expression, CultureInfo.InvariantCulture, out var interval) && interval > TimeSpan.Zero)
        {
            return new TimerSchedule(null, interval);
        }

        try
        {
            var fields = expression.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var format = fields.Length == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard;
            return new TimerSchedule(CronExpression.Parse(expression, format), default);
        }
        catch (CronFormatException wrong)
        {
            throw new StartFailedException($"{function}: '{expression}' is no schedule: {wrong.Message}", wrong);
        }
    }

    /// <summary>The first run after a time.</summary>
    public DateTimeOffset Next(DateTimeOffset after) =>
        _cron is null ? after + _interval : _cron.GetNextOccurrence(after, TimeZoneInfo.Utc) ?? DateTimeOffset.MaxValue;
}
