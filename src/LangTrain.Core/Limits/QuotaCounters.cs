namespace LangTrain.Core.Limits;

/// <summary>The row of an account's windows, and the one rule by which requests are taken out of them. Immutable.</summary>
/// <param name="Minute">Begin of the minute that <paramref name="MinuteTaken"/> counts.</param>
/// <param name="MinuteTaken">Taken in that minute.</param>
/// <param name="Day">Begin of the day that <paramref name="DayTaken"/> counts.</param>
/// <param name="DayTaken">Taken in that day.</param>
public sealed record QuotaCounters(DateTimeOffset Minute, long MinuteTaken, DateTimeOffset Day, long DayTaken)
{
    /// <summary>The row after a demand, and what is granted. Every adapter of <see cref="IRequestQuotaStore"/> writes exactly this.</summary>
    /// <remarks>
    /// An instance whose clock runs behind may ask for a minute before the stored one; it is counted in the stored (later) minute, so that
    /// a window is never opened twice.
    /// </remarks>
    public static (QuotaCounters Row, QuotaGrant Grant) Take(QuotaCounters? stored, QuotaDemand demand)
    {
        ArgumentNullException.ThrowIfNull(demand);
        var minute = stored is null || stored.Minute < demand.Minute ? demand.Minute : stored.Minute;
        var day = stored is null || stored.Day < demand.Day ? demand.Day : stored.Day;
        var minuteTaken = stored?.Minute == minute ? stored.MinuteTaken : 0;
        var dayTaken = stored?.Day == day ? Math.Max(0, stored.DayTaken - (day == demand.Day ? demand.ReturnToDay : 0)) : 0;
        var granted = Math.Max(0, Math.Min(demand.Want, Math.Min(demand.MinuteLimit - minuteTaken, demand.DayLimit - dayTaken)));
        var row = new QuotaCounters(minute, minuteTaken + granted, day, dayTaken + granted);
        return (row, new QuotaGrant(granted, row.MinuteTaken, row.DayTaken));
    }
}
