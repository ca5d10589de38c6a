using System.Runtime.CompilerServices;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;

namespace LangTrain.Testing;

/// <summary>Logs of jobs in memory; passes the same contract tests as the append-blob log. Thread-safe.</summary>
public sealed class InMemoryJobEventLog : IJobEventLog
{
    private readonly Lock _lock = new();
    private readonly Dictionary<FineTuneRef, List<JobEvent>> _logs = [];

    /// <summary>Called before events are stored: a storage that does not answer.</summary>
    public Action<FineTuneRef>? BeforeAppend { get; set; }

    /// <summary>Called after events are stored: a crash, or an answer that got lost.</summary>
    public Action<FineTuneRef>? AfterAppend { get; set; }

    /// <summary>All events of a job so far.</summary>
    public IReadOnlyList<JobEvent> Of(FineTuneRef job)
    {
        lock (_lock)
        {
            return _logs.TryGetValue(job, out var log) ? [.. log] : [];
        }
    }

    public Task<IReadOnlyList<JobEvent>> AppendAsync(FineTuneRef job, IReadOnlyList<JobEventDraft> events, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        BeforeAppend?.Invoke(job);
        var appended = new List<JobEvent>();
        lock (_lock)
        {
            if (!_logs.TryGetValue(job, out var log))
            {
                _logs[job] = log = [];
            }

            var hasEnded = log.Exists(stored => FineTuneStatusWords.IsEnd(stored.Type, stored.Status));
            foreach (var draft in events)
            {
                if (hasEnded || log.Exists(stored => stored.Key == draft.Key))
                {
                    continue;
                }

                var stored = new JobEvent
                {
                    Sequence = log.Count + 1, JobId = job.JobId, Type = draft.Type, Timestamp = draft.Timestamp, Key = draft.Key,
                    Message = draft.Message, Level = draft.Level, Status = draft.Status, Data = draft.Data?.Clone(),
                };
                log.Add(stored);
                appended.Add(stored);
            }
        }

        AfterAppend?.Invoke(job);
        return Task.FromResult<IReadOnlyList<JobEvent>>(appended);
    }

    public async IAsyncEnumerable<JobEvent> ReadAsync(
        FineTuneRef job, long afterSequence = 0, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var stored in Of(job).Where(e => e.Sequence > afterSequence))
        {
            cancellation.ThrowIfCancellationRequested();
            yield return stored;
        }

        await Task.CompletedTask;
    }
}
