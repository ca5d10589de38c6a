namespace LangTrain.Core.Limits;

/// <summary>How many requests of each window are taken, over all instances: one row an account. Thread-safe.</summary>
/// <remarks>
/// <see cref="TakeAsync"/> is atomic over all instances (an ETag write, repeated when it was stale): the sum of what is granted in a window
/// never passes the window's limit. A window that is not the one stored begins at 0. The row is one entity, so that a taking is one write.
/// </remarks>
public interface IRequestQuotaStore
{
    /// <summary>Takes up to <see cref="QuotaDemand.Want"/> requests out of the minute and the day, the same number out of both.</summary>
    Task<QuotaGrant> TakeAsync(string accountId, QuotaDemand demand, CancellationToken cancellation = default);
}

/// <summary>What an instance asks for.</summary>
/// <param name="Minute">Begin of the minute, UTC.</param>
/// <param name="MinuteLimit">Limit of the minute.</param>
/// <param name="Day">Begin of the day, UTC.</param>
/// <param name="DayLimit">Limit of the day.</param>
/// <param name="Want">Requests wanted, at least 1.</param>
/// <param name="ReturnToDay">Requests granted in an earlier minute of this same day and not used: given back to the day before anything is taken.</param>
public sealed record QuotaDemand(DateTimeOffset Minute, long MinuteLimit, DateTimeOffset Day, long DayLimit, long Want, long ReturnToDay = 0);

/// <summary>What an instance got.</summary>
/// <param name="Granted">0 to what was wanted.</param>
/// <param name="MinuteTaken">Taken in the minute by all instances, this grant included.</param>
/// <param name="DayTaken">Taken in the day by all instances, this grant included.</param>
public sealed record QuotaGrant(long Granted, long MinuteTaken, long DayTaken);
