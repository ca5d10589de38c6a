using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;

namespace LangTrain.AzureAdapters.Blobs;

/// <summary>The logs of jobs as append blobs, one line an event, several processes appending at once. Thread-safe.</summary>
/// <remarks>
/// A batch is one append that names the place where the log ends for this process. If somebody appended since, storage refuses it; then what is
/// new is read, known keys are left out, and the rest is numbered and appended anew. So numbers have no holes and keys are written once. An append
/// whose answer was lost looks like that too; its lines are known by the writer's name and count as written. A blob takes 50,000 appends: long before that a closing line is appended,
/// in the same guarded way, after which everybody goes on in the next blob.
/// </remarks>
/// <param name="container">Where the logs are.</param>
/// <param name="appendsPerSegment">Appends after which the next blob begins.</param>
/// <param name="jobsInMemory">Jobs whose end of log is kept in memory.</param>
internal sealed class AppendBlobJobEventLog(LazyResource<BlobContainerClient> container, int appendsPerSegment = 49_000, int jobsInMemory = 200) : IJobEventLog
{
    private const int MaxAttempts = 60;
    private readonly string _writer = Guid.NewGuid().ToString("N")[..12];
    private readonly Lock _lock = new();
    private readonly Dictionary<FineTuneRef, JobLogState> _states = [];
    private long _uses;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<JobEvent>> AppendAsync(FineTuneRef job, IReadOnlyList<JobEventDraft> events, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(events);
        var client = await container.GetAsync(cancellation);
        var state = State(job);
        await state.Gate.WaitAsync(cancellation);
        try
        {
            if (!state.WasRead)
            {
                await CatchUpAsync(client, job, state, cancellation);
            }

            var wanted = events.DistinctBy(draft => draft.Key).Where(draft => IsWanted(draft, state)).ToList();
            var written = new List<JobEvent>(wanted.Count);
            for (var attempt = 1; wanted.Count > 0; attempt++)
            {
                try
                {
                    written.AddRange(await AppendOnceAsync(client, job, state, wanted, cancellation));
                    break;
                }
                catch (Exception failure) when (MayHaveBeenWritten(failure, cancellation))
                {
                    var found = await CatchUpAsync(client, job, state, cancellation);
                    written.AddRange(found.Where(line => line.Writer == _writer && wanted.Exists(d => d.Key == line.Key)).Select(line => line.ToEvent()));
                    wanted.RemoveAll(draft => !IsWanted(draft, state));
                    if (wanted.Count > 0 && (!IsConflict(failure) || attempt == MaxAttempts))
                    {
                        throw;
                    }
                }

                if (wanted.Count > 0)
                {
                    await Task.Delay(Random.Shared.Next(1, 5 + (5 * attempt)), cancellation);
                }
            }

            return written;
        }
        finally
        {
            state.Gate.Release();
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<JobEvent> ReadAsync(
        FineTuneRef job, long afterSequence = 0, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        var state = State(job);
        await foreach (var entry in JobLogReader.ReadAsync(container.Unchecked, job, state.NearestTo(afterSequence), cancellation))
        {
            if (entry.Line.IsSegmentEnd)
            {
                continue;
            }

            state.Passed(entry.Line.Sequence, entry.Next);
            if (entry.Line.Sequence > afterSequence)
            {
                yield return entry.Line.ToEvent();
            }
        }
    }

    private async Task<IReadOnlyList<JobEvent>> AppendOnceAsync(
        BlobContainerClient client, FineTuneRef job, JobLogState state, List<JobEventDraft> drafts, CancellationToken cancellation)
    {
        var events = new JobEvent[drafts.Count];
        var ends = new long[drafts.Count];
        using var batch = new MemoryStream();
        for (var i = 0; i < events.Length; i++)
        {
            var draft = drafts[i];
            events[i] = new JobEvent
            {
                Sequence = state.LastSequence + 1 + i, JobId = job.JobId, Type = draft.Type, Timestamp = draft.Timestamp, Key = draft.Key,
                Message = draft.Message, Level = draft.Level, Status = draft.Status, Data = draft.Data,
            };
            JsonSerializer.Serialize(batch, EventLine.From(events[i], _writer), EventLineJson.Default.EventLine);
            batch.WriteByte((byte)'\n');
            ends[i] = batch.Length;
        }

        if (batch.Length > JobLogReader.MaxBatchBytes)
        {
            throw new ArgumentException(
                $"{events.Length} events of {batch.Length} bytes cannot be appended at once; {JobLogReader.MaxBatchBytes} bytes are the most.", nameof(drafts));
        }

        var appends = await AppendBlockAsync(client, job, state.End, batch, cancellation);
        var start = state.End;
        for (var i = 0; i < events.Length; i++)
        {
            Pass(state, EventLine.From(events[i], _writer), start with { Offset = start.Offset + ends[i] });
        }

        if (appends >= appendsPerSegment)
        {
            await CloseSegmentAsync(client, job, state, cancellation);
        }

        return events;
    }

    /// <summary>Appends where the log ends, and makes the blob when there is none yet.</summary>
    /// <returns>Appends that the blob has now.</returns>
    private static async Task<int> AppendBlockAsync(BlobContainerClient client, FineTuneRef job, LogPosition end, MemoryStream batch, CancellationToken cancellation)
    {
        var blob = JobLogReader.Segment(client, job, end.Segment);
        if (end.Offset == 0)
        {
            await blob.CreateIfNotExistsAsync(cancellationToken: cancellation);
        }

        batch.Position = 0;
        var options = new AppendBlobAppendBlockOptions { Conditions = new AppendBlobRequestConditions { IfAppendPositionEqual = end.Offset } };
        return (await blob.AppendBlockAsync(batch, options, cancellation)).Value.BlobCommittedBlockCount;
    }

    private async Task CloseSegmentAsync(BlobContainerClient client, FineTuneRef job, JobLogState state, CancellationToken cancellation)
    {
        using var line = new MemoryStream();
        JsonSerializer.Serialize(line, new EventLine { Type = EventLine.SegmentEnd, Writer = _writer }, EventLineJson.Default.EventLine);
        line.WriteByte((byte)'\n');
        try
        {
            await AppendBlockAsync(client, job, state.End, line, cancellation);
            state.End = new LogPosition(state.End.Segment + 1, 0);
        }
        catch (Exception failure) when (MayHaveBeenWritten(failure, cancellation) || failure is OperationCanceledException)
        {
            // The events are stored. Whoever appends next meets the closing line, or an end that is still open and full, and goes on from there.
        }
    }

    private static async Task<List<EventLine>> CatchUpAsync(BlobContainerClient client, FineTuneRef job, JobLogState state, CancellationToken cancellation)
    {
        var lines = new List<EventLine>();
        await foreach (var entry in JobLogReader.ReadAsync(client, job, state.End, cancellation))
        {
            if (entry.Line.IsSegmentEnd)
            {
                state.End = entry.Next;
                continue;
            }

            Pass(state, entry.Line, entry.Next);
            lines.Add(entry.Line);
        }

        state.WasRead = true;
        return lines;
    }

    private static bool IsWanted(JobEventDraft draft, JobLogState state) => !state.HasEnded && !state.Keys.Contains(draft.Key);

    private static void Pass(JobLogState state, EventLine line, LogPosition next)
    {
        state.End = next;
        state.LastSequence = line.Sequence;
        state.Passed(line.Sequence, next);
        state.HasEnded |= FineTuneStatusWords.IsEnd(line.Type, line.Status);
        if (line.Key is not null)
        {
            state.Keys.Add(line.Key);
        }
    }

    private static bool IsConflict(Exception failure) => failure is RequestFailedException { Status: 412 or 404 };

    // After its retries the client throws an aggregate of all failures.
    private static bool MayHaveBeenWritten(Exception failure, CancellationToken cancellation) =>
        !cancellation.IsCancellationRequested && failure is RequestFailedException or AggregateException or IOException or OperationCanceledException;

    private JobLogState State(FineTuneRef job)
    {
        lock (_lock)
        {
            if (!_states.TryGetValue(job, out var state))
            {
                if (_states.Count >= jobsInMemory)
                {
                    // A state that somebody still holds goes on working; only what it learns is lost.
                    _states.Remove(_states.MinBy(pair => pair.Value.LastUse).Key);
                }

                _states[job] = state = new JobLogState();
            }

            state.LastUse = ++_uses;
            return state;
        }
    }
}
