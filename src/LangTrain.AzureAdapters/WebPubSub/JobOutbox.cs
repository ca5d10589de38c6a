using LangTrain.Contracts.FineTunes;

namespace LangTrain.AzureAdapters.WebPubSub;

/// <summary>What one job still has to be told: events in memory, and after them perhaps a range that is read again from the log. Guarded by the relay's lock.</summary>
internal sealed class JobOutbox(FineTuneRef job)
{
    private readonly Queue<JobEvent> _waiting = new();
    private (long First, long Last)? _missed;

    /// <summary>The job.</summary>
    public FineTuneRef Job { get; } = job;

    /// <summary>Whether nothing is left.</summary>
    public bool IsEmpty => _waiting.Count == 0 && _missed is null;

    /// <summary>Whether events come after a range that has to be sent first, so that they too must be read from the log.</summary>
    public bool IsBehind => _missed is not null;

    /// <summary>Keeps events in memory.</summary>
    public void Add(IReadOnlyList<JobEvent> events)
    {
        foreach (var told in events)
        {
            _waiting.Enqueue(told);
        }
    }

    /// <summary>Keeps of events only their numbers.</summary>
    public void Miss(IReadOnlyList<JobEvent> events)
    {
        var (first, last) = (events[0].Sequence, events[^1].Sequence);
        _missed = _missed is { } known ? (Math.Min(known.First, first), Math.Max(known.Last, last)) : (first, last);
    }

    /// <summary>Takes the next events in memory, or, when there are none, the range.</summary>
    public (List<JobEvent> Events, (long First, long Last)? Range) Take(int most)
    {
        var events = new List<JobEvent>();
        while (events.Count < most && _waiting.TryDequeue(out var told))
        {
            events.Add(told);
        }

        if (events.Count > 0)
        {
            return (events, null);
        }

        var range = _missed;
        _missed = null;
        return (events, range);
    }
}
