namespace LangTrain.Core.Limits;

/// <summary>How an account stands with its limits after a request was counted, or refused.</summary>
/// <param name="Allowed">Whether the request may go on.</param>
/// <param name="Limits">Its limits.</param>
/// <param name="MinuteRemaining">Requests left in this minute.</param>
/// <param name="MinuteReset">Time to the next minute.</param>
/// <param name="DayRemaining">Requests left in this day.</param>
/// <param name="DayReset">Time to the next day.</param>
public sealed record LimitState(
    bool Allowed, Accounts.RequestLimits Limits, long MinuteRemaining, TimeSpan MinuteReset, long DayRemaining, TimeSpan DayReset)
{
    /// <summary>Whether the day is the tighter of the two windows.</summary>
    public bool DayIsTighter => DayRemaining < MinuteRemaining || (DayRemaining == MinuteRemaining && DayRemaining == 0);

    /// <summary>Limit of the tighter window.</summary>
    public long Limit => DayIsTighter ? Limits.RequestsPerDay : Limits.RequestsPerMinute;

    /// <summary>Requests left in the tighter window.</summary>
    public long Remaining => DayIsTighter ? DayRemaining : MinuteRemaining;

    /// <summary>Time until the tighter window begins anew.</summary>
    public TimeSpan Reset => DayIsTighter ? DayReset : MinuteReset;
}
