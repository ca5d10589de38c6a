using System.Collections.Concurrent;
using System.Globalization;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Observability;
using LangTrain.Core.Storage;

namespace LangTrain.Core.FineTunes;

/// <summary>Changes a job's row and tells its owner. Every change of a job's status, by whichever process, is made here. Thread-safe.</summary>
/// <remarks>
/// <para>The events of a change are written with the row and appended to the log after it. Whoever comes to the row next appends them again,
/// since the one before may have died in between; the log drops what it has. So no change goes untold and none is told twice.</para>
/// <para>The change is decided on the row as it stands, again after each lost race, and may be decided twice for one request: it must look at
/// the row and ask for nothing when its work is done already.</para>
/// </remarks>
/// <param name="store">Rows.</param>
/// <param name="log">Events.</param>
/// <param name="relay">Live events.</param>
/// <param name="time">Clock.</param>
/// <param name="finish">What is done when a job has ended; null in the worker, which ends none.</param>
public sealed class ChangeFineTune(IFineTuneStore store, IJobEventLog log, IJobRelay relay, TimeProvider time, FinishFineTune? finish = null)
{
    // A running job's row is written by its worker every second or so; a race is lost now and then, never twelve times in a row.
    private const int Tries = 12, TriesAtOnce = 4;
    private const int MostRemembered = 10_000;
    private readonly ConcurrentDictionary<FineTuneRef, int> _toldRevisions = new();

    /// <inheritdoc cref="ExecuteAsync(FineTuneRef, Func{FineTune, FineTuneChange?}, CancellationToken)"/>
    public Task<Versioned<FineTune>?> ExecuteAsync(FineTuneRef job, Func<FineTune, FineTune?> change, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        return ExecuteAsync(job, row => change(row) is { } changed ? new FineTuneChange(changed) : null, cancellation);
    }

    /// <summary>Changes a job.</summary>
    /// <param name="job">Which.</param>
    /// <param name="change">Given the row, gives what it should become, or null when there is nothing to do. Pure.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The row as it stands now, changed or not; null when there is no such job.</returns>
    /// <exception cref="InvalidOperationException">The change asks for a move that <see cref="FineTuneStateMachine"/> does not have.</exception>
    /// <exception cref="StaleWriteException">The row was changed by others again and again.</exception>
    public Task<Versioned<FineTune>?> ExecuteAsync(FineTuneRef job, Func<FineTune, FineTuneChange?> change, CancellationToken cancellation = default) =>
        ExecuteAsync(job, change, tell: true, cancellation);

    /// <summary>As <see cref="ExecuteAsync(FineTuneRef, Func{FineTune, FineTuneChange?}, CancellationToken)"/>, but the caller tells of the change, who cannot wait for a log that does not answer.</summary>
    /// <returns>The row; what is to be told are its <see cref="FineTune.PendingEvents"/>.</returns>
    public Task<Versioned<FineTune>?> WriteAsync(FineTuneRef job, Func<FineTune, FineTuneChange?> change, CancellationToken cancellation = default) =>
        ExecuteAsync(job, change, tell: false, cancellation);

    private async Task<Versioned<FineTune>?> ExecuteAsync(FineTuneRef job, Func<FineTune, FineTuneChange?> change, bool tell, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(change);
        for (var attempt = 1; ; attempt++)
        {
            if (await store.FindAsync(job, cancellation) is not { } row)
            {
                return null;
            }

            await TellAsync(row.Value, cancellation);
            if (change(row.Value) is not { } wanted)
            {
                return row;
            }

            try
            {
                var written = await store.UpdateAsync(row, Complete(row.Value, wanted), cancellation);
                if (written.Value.Status != row.Value.Status)
                {
                    JobMetrics.Count(written.Value);
                }

                if (tell)
                {
                    await TellAsync(written.Value, cancellation);
                }

                return written;
            }
            catch (StaleWriteException) when (attempt < Tries)
            {
                if (attempt >= TriesAtOnce)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(5, 50) * attempt), time, cancellation);
                }
            }
        }
    }

    private FineTune Complete(FineTune before, FineTuneChange wanted)
    {
        var job = wanted.Job;
        if (job.Status == before.Status)
        {
            return job with { Revision = before.Revision, PendingEvents = before.PendingEvents };
        }

        if (!FineTuneStateMachine.CanMove(before.Status, job.Status))
        {
            throw new InvalidOperationException($"A fine-tune cannot go from {before.Status.Word()} to {job.Status.Word()}.");
        }

        var now = time.GetUtcNow();
        var isEnd = FineTuneStateMachine.IsTerminal(job.Status);
        var revision = before.Revision + 1;
        return job with
        {
            Revision = revision,
            PendingEvents = Events(job, wanted.Lines, revision, now),
            Requested = isEnd ? FineTuneControl.None : job.Requested,
            StartedAt = job.StartedAt ?? (job.Status == FineTuneStatus.Running ? now : null),
            FinishedAt = isEnd ? now : null,
        };
    }

    private static List<JobEventDraft> Events(FineTune job, IReadOnlyList<JobLine> lines, int revision, DateTimeOffset now)
    {
        var events = new List<JobEventDraft>(lines.Count + 1);
        foreach (var line in lines)
        {
            events.Add(new JobEventDraft
            {
                Key = string.Create(CultureInfo.InvariantCulture, $"log-{revision}-{events.Count + 1}"),
                Type = JobEventTypes.Log,
                Timestamp = now,
                Message = line.Message,
                Level = line.Level,
            });
        }

        events.Add(new JobEventDraft
        {
            Key = string.Create(CultureInfo.InvariantCulture, $"status-{revision}"),
            Type = JobEventTypes.Status,
            Timestamp = now,
            Status = job.Status.Word(),
        });
        return events;
    }

    // Relaying is best effort and comes after storing: a client that misses an event finds it in the log.
    private async Task TellAsync(FineTune job, CancellationToken cancellation)
    {
        var key = job.Ref();
        if (job.PendingEvents.Count == 0 || (_toldRevisions.TryGetValue(key, out var told) && told >= job.Revision))
        {
            return;
        }

        var appended = await log.AppendAsync(key, job.PendingEvents, cancellation);
        if (appended.Count > 0)
        {
            relay.Publish(key, appended);
        }

        if (finish is not null && FineTuneStateMachine.IsTerminal(job.Status))
        {
            await finish.ExecuteAsync(job, cancellation);
        }

        if (_toldRevisions.Count >= MostRemembered)
        {
            // Forgetting costs one more append, which the log drops.
            _toldRevisions.Clear();
        }

        _toldRevisions[key] = job.Revision;
    }
}
