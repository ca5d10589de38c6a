using System.Collections.Concurrent;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;

namespace LangTrain.Core.Limits;

/// <summary>Lets an account's requests through as its limits allow, exactly over all instances. Thread-safe; one a process.</summary>
/// <remarks>
/// <para>An instance takes a block of requests out of the shared row and spends it by itself, so a busy account costs far less than one storage
/// write a request. Blocks are a 16th of what is left and shrink to 1 towards the end of a window: what one instance holds, another
/// cannot use, and that must stay little. A block is good in its own minute only; what is left of it then is given back to the day.</para>
/// <para>So the limit is never passed; a request may be refused a little early when other instances hold the rest.</para>
/// </remarks>
public sealed class RequestLimiter(IRequestQuotaStore quotas, TimeProvider time)
{
    private const int BlockShare = 16;
    private const int LargestBlock = 10_000;
    private const int MostAccounts = 10_000;

    private readonly ConcurrentDictionary<string, Block> _blocks = new(StringComparer.Ordinal);

    /// <summary>Counts a request.</summary>
    /// <returns>How the account stands; not <see cref="LimitState.Allowed"/> when a window is used up.</returns>
    public async ValueTask<LimitState> CountAsync(Account account, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(account);
        var block = BlockOf(account.Id);
        var limits = Tiers.LimitsOf(account);
        var now = time.GetUtcNow();
        if (block.TrySpend(now, limits) is { } spent)
        {
            if (block.IsRunningLow && block.Refilling.Wait(0, CancellationToken.None))
            {
                // A busy account's next block is fetched before the last request of this one: then no request waits for storage.
                _ = FetchAheadAsync(account, block, limits);
            }

            return spent;
        }

        await block.Refilling.WaitAsync(cancellation);
        try
        {
            // Whoever waited may find what the one before fetched, be it a block or the news that nothing is left.
            now = time.GetUtcNow();
            if (block.TrySpend(now, limits) is { } fetched)
            {
                return fetched;
            }

            if (block.KnownEmpty(now, limits))
            {
                return block.State(now, limits, false);
            }

            var demand = block.Demand(now, limits, BlockShare, LargestBlock);
            var grant = await quotas.TakeAsync(account.Id, demand, cancellation);
            block.Fill(demand, grant);
            return block.TrySpend(now, limits) ?? block.State(now, limits, false);
        }
        finally
        {
            block.Refilling.Release();
        }
    }

    // Holds the block's Refilling when it begins.
    private async Task FetchAheadAsync(Account account, Block block, RequestLimits limits)
    {
        try
        {
            await Task.Yield();
            if (block.DemandAhead(time.GetUtcNow(), limits, BlockShare, LargestBlock) is { } demand)
            {
                block.Add(demand, await quotas.TakeAsync(account.Id, demand, CancellationToken.None));
            }
        }
        catch
        {
            // What storage has to say, the request that finds nothing left will hear. What it may have granted is lost until the next window.
        }
        finally
        {
            block.Refilling.Release();
        }
    }

    /// <summary>How the account stands, without counting.</summary>
    public LimitState Peek(Account account)
    {
        ArgumentNullException.ThrowIfNull(account);
        return BlockOf(account.Id).State(time.GetUtcNow(), Tiers.LimitsOf(account), true);
    }

    /// <summary>The error of a refused request.</summary>
    public static ApiException Refusal(LimitState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var message = state.DayIsTighter
            ? $"The limit of {state.Limit} requests a day is used up; it begins anew at midnight UTC."
            : $"The limit of {state.Limit} requests a minute is used up.";
        return ApiErrors.RateLimited(state.DayIsTighter, message, state.Reset);
    }

    private Block BlockOf(string accountId)
    {
        if (_blocks.TryGetValue(accountId, out var known))
        {
            return known;
        }

        // Counting takes all locks of the dictionary: not for an account that is known.
        if (_blocks.Count >= MostAccounts)
        {
            // Forgetting costs the accounts what their blocks still held, never the limit its exactness.
            _blocks.Clear();
        }

        return _blocks.GetOrAdd(accountId, static _ => new Block());
    }

    /// <summary>What this instance holds of one account's windows. Fields are guarded by a lock; fetching by <see cref="Refilling"/>.</summary>
    private sealed class Block
    {
        private readonly Lock _lock = new();
        private DateTimeOffset _minute, _day;
        private long _held, _granted, _minuteTaken, _dayTaken;

        // Blocks below this are those of small or nearly used-up limits: fetched ahead they would be kept from other instances.
        private const int LeastAhead = 32;

        /// <summary>Whether it is time to fetch the next block. Read without the lock: a moment too early or late does no harm.</summary>
        public bool IsRunningLow => Volatile.Read(ref _granted) >= LeastAhead && Volatile.Read(ref _held) * 2 < Volatile.Read(ref _granted);

        // Never disposed: it holds no handle unless its wait handle is asked for, which nobody does.
        public SemaphoreSlim Refilling { get; } = new(1, 1);

        public LimitState? TrySpend(DateTimeOffset now, RequestLimits limits)
        {
            lock (_lock)
            {
                if (_held == 0 || MinuteOf(now) != _minute)
                {
                    return null;
                }

                _held--;
                return State(now, limits, true);
            }
        }

        public bool KnownEmpty(DateTimeOffset now, RequestLimits limits)
        {
            lock (_lock)
            {
                // The minute's counter never falls, and what others give back to the day may wait until the next minute: nobody needs to be asked.
                return _held == 0 && MinuteOf(now) == _minute && (_minuteTaken >= limits.RequestsPerMinute || _dayTaken >= limits.RequestsPerDay);
            }
        }

        public QuotaDemand Demand(DateTimeOffset now, RequestLimits limits, int share, int largest)
        {
            lock (_lock)
            {
                var (minute, day) = (MinuteOf(now), DayOf(now));
                var left = Math.Min(
                    limits.RequestsPerMinute - (minute == _minute ? _minuteTaken : 0), limits.RequestsPerDay - (day == _day ? _dayTaken : 0));
                var returned = day == _day ? _held : 0;
                // Given back once, whatever becomes of the call: after an answer that got lost a second return would open the day too far.
                _held = 0;
                return new QuotaDemand(minute, limits.RequestsPerMinute, day, limits.RequestsPerDay, Math.Clamp(left / share, 1, largest), returned);
            }
        }

        public void Fill(QuotaDemand demand, QuotaGrant grant)
        {
            lock (_lock)
            {
                (_minute, _day, _held, _minuteTaken, _dayTaken) = (demand.Minute, demand.Day, grant.Granted, grant.MinuteTaken, grant.DayTaken);
                _granted = grant.Granted;
            }
        }

        /// <summary>What to ask for beside the block that is being spent; null where that is not of this minute any more.</summary>
        public QuotaDemand? DemandAhead(DateTimeOffset now, RequestLimits limits, int share, int largest)
        {
            lock (_lock)
            {
                var left = Math.Min(limits.RequestsPerMinute - _minuteTaken, limits.RequestsPerDay - _dayTaken);
                return MinuteOf(now) == _minute && DayOf(now) == _day && left > 0
                    ? new QuotaDemand(_minute, limits.RequestsPerMinute, _day, limits.RequestsPerDay, Math.Clamp(left / share, 1, largest))
                    : null;
            }
        }

        /// <summary>Takes a block that was fetched ahead. Nobody else fetches meanwhile, so the block it comes to is the one it was asked for.</summary>
        public void Add(QuotaDemand demand, QuotaGrant grant)
        {
            lock (_lock)
            {
                (_held, _minuteTaken, _dayTaken) = (_held + grant.Granted, grant.MinuteTaken, grant.DayTaken);
                _granted = grant.Granted;
            }
        }

        public LimitState State(DateTimeOffset now, RequestLimits limits, bool allowed)
        {
            lock (_lock)
            {
                var (minute, day) = (MinuteOf(now), DayOf(now));
                var inMinute = minute == _minute;
                var minuteUsed = inMinute ? _minuteTaken - _held : 0;
                var dayUsed = day == _day ? _dayTaken - _held : 0;
                return new LimitState(
                    allowed,
                    limits,
                    Math.Max(0, limits.RequestsPerMinute - minuteUsed),
                    minute.AddMinutes(1) - now,
                    Math.Max(0, limits.RequestsPerDay - dayUsed),
                    day.AddDays(1) - now);
            }
        }

        private static DateTimeOffset MinuteOf(DateTimeOffset now) => new(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMinute), TimeSpan.Zero);

        private static DateTimeOffset DayOf(DateTimeOffset now) => new(now.UtcDateTime.Date, TimeSpan.Zero);
    }
}
