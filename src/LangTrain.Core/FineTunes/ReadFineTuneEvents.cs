using System.Globalization;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Models;
using LangTrain.Core.Storage;

namespace LangTrain.Core.FineTunes;

/// <summary>Reads a job's log the way OpenAI's lists show it: the newest first. Thread-safe.</summary>
/// <remarks>The log is read in its own order, from its beginning; only what the page needs is kept.</remarks>
public sealed class ReadFineTuneEvents(IJobEventLog log, BlobFolder folders, StorageNames names)
{
    /// <summary>The newest events before one.</summary>
    /// <param name="job">The job.</param>
    /// <param name="before">Sequence number before which they are; null begins with the newest.</param>
    /// <param name="limit">Most events.</param>
    /// <param name="wanted">Which count; null is all.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<Page<JobEvent>> NewestAsync(
        FineTuneRef job, long? before, int limit, Func<JobEvent, bool>? wanted = null, CancellationToken cancellation = default)
    {
        // One more than asked for tells whether there are older ones.
        var kept = new Queue<JobEvent>(limit + 1);
        await foreach (var told in log.ReadAsync(job, 0, cancellation))
        {
            if (told.Sequence >= before)
            {
                break;
            }

            if (wanted?.Invoke(told) == false)
            {
                continue;
            }

            if (kept.Count > limit)
            {
                kept.Dequeue();
            }

            kept.Enqueue(told);
        }

        return new Page<JobEvent>([.. kept.Reverse().Take(limit)], kept.Count > limit);
    }

    /// <summary>Which of a job's events still hold: those of steps that a diverged run went back behind do not. To ask of events with a step.</summary>
    public async Task<Func<JobEvent, bool>> HoldingAsync(FineTuneRef job, CancellationToken cancellation = default)
    {
        var returns = new List<(long Sequence, double Step)>();
        await foreach (var told in log.ReadAsync(job, 0, cancellation))
        {
            if (told.Type == JobEventTypes.Rollback && told.Number("step") is { } step)
            {
                returns.Add((told.Sequence, step));
            }
        }

        return told => !returns.Exists(back => told.Sequence < back.Sequence && told.Number("step") > back.Step);
    }

    /// <summary>The checkpoints that are stored now, newest first, each with what the log tells of its step.</summary>
    public async Task<IReadOnlyList<FineTuningCheckpointAnswer>> CheckpointsAsync(FineTune job, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        var stored = new HashSet<int>();
        await foreach (var folder in folders.ListCompleteAsync(names.CheckpointsContainer, $"{job.AccountId}/{job.Id}/", cancellation))
        {
            if (folder.StartsWith("step-", StringComparison.Ordinal) && int.TryParse(folder.AsSpan("step-".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step))
            {
                stored.Add(step);
            }
        }

        var times = new Dictionary<int, DateTimeOffset>();
        var losses = new Dictionary<int, double>();
        var evaluations = new Dictionary<int, (double? Loss, double? Accuracy)>();
        await foreach (var told in log.ReadAsync(job.Ref(), 0, cancellation))
        {
            // A run that went back tells a step again, if it comes there again; the last telling counts.
            if (told.Type == JobEventTypes.Rollback && told.Number("step") is { } back)
            {
                times.RemoveAfter(back);
                losses.RemoveAfter(back);
                evaluations.RemoveAfter(back);
            }
            else if (told.Number("step") is { } number && stored.Contains((int)number))
            {
                switch (told.Type)
                {
                    case JobEventTypes.Checkpoint: times[(int)number] = told.Timestamp; break;
                    case JobEventTypes.Metrics when told.Number("loss") is { } loss: losses[(int)number] = loss; break;
                    case JobEventTypes.Eval: evaluations[(int)number] = (told.Number("eval_loss"), told.Number("token_accuracy")); break;
                }
            }
        }

        // A checkpoint counts once the log tells of it.
        return
        [
            .. times.OrderByDescending(pair => pair.Key).Select(pair => new FineTuningCheckpointAnswer(
                string.Create(CultureInfo.InvariantCulture, $"ftckpt-{job.Id[(job.Id.IndexOf('-', StringComparison.Ordinal) + 1)..]}-{pair.Key}"),
                pair.Value.ToUnixTimeSeconds(),
                CheckpointModels.IdOf(job, pair.Key),
                job.Id,
                pair.Key,
                new FineTuningCheckpointMetricsAnswer(
                    pair.Key,
                    losses.TryGetValue(pair.Key, out var loss) ? loss : null,
                    evaluations.GetValueOrDefault(pair.Key).Loss,
                    evaluations.GetValueOrDefault(pair.Key).Accuracy))),
        ];
    }
}
