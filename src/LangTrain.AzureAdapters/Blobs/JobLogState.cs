namespace LangTrain.AzureAdapters.Blobs;

/// <summary>What one process knows of one job's log. All of it can be read again from the log; it may be behind, never wrong.</summary>
internal sealed class JobLogState
{
    private const int EventsPerMark = 64;
    private readonly Lock _lock = new();
    private readonly List<(long Sequence, LogPosition Next)> _marks = [];
    private (long Sequence, LogPosition Next) _furthest;

    /// <summary>Held while this process appends; the members below it are the holder's.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>End of the log as far as it is known.</summary>
    public LogPosition End { get; set; }

    /// <summary>Sequence number of the last event before <see cref="End"/>.</summary>
    public long LastSequence { get; set; }

    /// <summary>Keys of all events before <see cref="End"/>.</summary>
    public HashSet<string> Keys { get; } = [];

    /// <summary>Whether the log tells of the job's end, after which nothing is appended.</summary>
    public bool HasEnded { get; set; }

    /// <summary>Whether the log was read to its end at least once.</summary>
    public bool WasRead { get; set; }

    /// <summary>When it was used last, by the cache's own count.</summary>
    public long LastUse { get; set; }

    /// <summary>Takes note of an event by whoever came past it, reading or writing.</summary>
    public void Passed(long sequence, LogPosition next)
    {
        lock (_lock)
        {
            if (sequence > _furthest.Sequence)
            {
                _furthest = (sequence, next);
            }

            if (sequence >= (_marks.Count == 0 ? 0 : _marks[^1].Sequence) + EventsPerMark)
            {
                _marks.Add((sequence, next));
            }
        }
    }

    /// <summary>A place at or before the first event after <paramref name="sequence"/>, as near as is known.</summary>
    public LogPosition NearestTo(long sequence)
    {
        lock (_lock)
        {
            if (_furthest.Sequence > 0 && _furthest.Sequence <= sequence)
            {
                return _furthest.Next;
            }

            var (low, high) = (0, _marks.Count);
            while (low < high)
            {
                var middle = (low + high) / 2;
                (low, high) = _marks[middle].Sequence <= sequence ? (middle + 1, high) : (low, middle);
            }

            return low == 0 ? default : _marks[low - 1].Next;
        }
    }
}
