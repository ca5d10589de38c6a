using System.Collections.Concurrent;
using System.Threading.Channels;
using LangTrain.Contracts.Batches;
using LangTrain.Core.Accounts;

namespace LangTrain.Core.Batches;

/// <summary>What the orchestration of a batch does next.</summary>
/// <param name="IsDone">Nothing is left to be answered: write the files.</param>
/// <param name="WaitSeconds">Before the next step; 0 is at once.</param>
public sealed record BatchStep(bool IsDone, int WaitSeconds = 0);

/// <summary>Answers the lines of a batch's chunk at work, as many as one step's time allows. Thread-safe; twice does no harm.</summary>
/// <remarks>
/// A line's result is stored as soon as it is there, with whatever else ended meanwhile, and a line with a stored result is not run again: so a death at any
/// place repeats no line that has ended. What was in work then is run again. The row says which chunk it is; results say which lines.
/// </remarks>
public sealed class RunBatchChunk(
    IBatchStore store, BatchBlobs blobs, AnswerBatchLine answer, IAccountStore accounts, BatchOptions options, TimeProvider time)
{
    // A worker that starts takes seconds to minutes; asking it more often than this gains nothing.
    private const int LongestWaitSeconds = 15;

    /// <summary>Runs a step.</summary>
    public async Task<BatchStep> ExecuteAsync(BatchRef batch, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var row = await store.ChangeAsync(batch, current => IsOver(current) ? current with { Status = BatchStatus.Finalizing, FinalizingAt = time.GetUtcNow() } : null, cancellation);
        if (row is not { Status: BatchStatus.InProgress } || await accounts.FindAsync(batch.AccountId, cancellation) is not { } account)
        {
            return new BatchStep(IsDone: true);
        }

        var results = await blobs.ReadResultsAsync(batch, row.NextChunk, cancellation);
        var lines = await blobs.ReadChunkAsync(batch, row.NextChunk, cancellation);
        var run = new ChunkRun(row, results.Values);
        var wait = await RunAsync(run, [.. lines.Where(line => !results.ContainsKey(line.Number))], OwnerOf(row, account), cancellation);
        if (run.Results.Count < lines.Count)
        {
            await TellAsync(run, cancellation);
            return new BatchStep(IsDone: false, (int)Math.Min(Math.Ceiling(wait.TotalSeconds), LongestWaitSeconds));
        }

        await blobs.JoinResultsAsync(batch, row.NextChunk, run.Results.Values.OrderBy(result => result.Number), cancellation);
        var tally = run.Tally();
        await store.ChangeAsync(
            batch,
            current => current.NextChunk == row.NextChunk
                ? current with { NextChunk = row.NextChunk + 1, Ended = current.Ended + tally, Current = new BatchTally() }
                : null,
            cancellation);
        return new BatchStep(IsDone: false);
    }

    private bool IsOver(Batch batch) => batch.Status == BatchStatus.InProgress && (batch.NextChunk == batch.Chunks || time.GetUtcNow() >= batch.ExpiresAt);

    /// <returns>How long the workers asked to be left alone.</returns>
    private async Task<TimeSpan> RunAsync(ChunkRun run, IReadOnlyList<BatchLine> lines, Caller owner, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var ended = Channel.CreateUnbounded<BatchLineResult>(new UnboundedChannelOptions { SingleReader = true });
        var storing = StoreAsync(run, ended.Reader, stop);
        var watching = WatchAsync(run, stop);
        var end = time.GetUtcNow() + options.StepTime;
        var wait = TimeSpan.Zero;
        try
        {
            var atOnce = new ParallelOptions { MaxDegreeOfParallelism = options.AtOnce, CancellationToken = stop.Token };
            await Parallel.ForEachAsync(lines, atOnce, async (line, stopping) =>
            {
                if (wait > TimeSpan.Zero || time.GetUtcNow() >= end)
                {
                    return;
                }

                try
                {
                    ended.Writer.TryWrite(await answer.ExecuteAsync(owner, run.Batch, line, stopping));
                }
                catch (NotNowException busy)
                {
                    // Of several the last word counts; the lines that run go on.
                    wait = busy.After > TimeSpan.Zero ? busy.After : TimeSpan.FromSeconds(1);
                }
            });
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            // The batch was cancelled or its time is over; the next step sees the row.
        }
        finally
        {
            // What has ended is stored even where the host stops.
            ended.Writer.Complete();
            await stop.CancelAsync();
            await watching;
            await storing;
        }

        return wait;
    }

    // While one blob is being written, what ends meanwhile gathers for the next: each alone where lines are slow, many together where they are fast.
    private async Task StoreAsync(ChunkRun run, ChannelReader<BatchLineResult> ended, CancellationTokenSource stop)
    {
        while (await ended.WaitToReadAsync())
        {
            var together = new List<BatchLineResult>();
            while (ended.TryRead(out var result))
            {
                together.Add(result);
            }

            try
            {
                await blobs.AddResultsAsync(run.Batch.Ref(), run.Batch.NextChunk, together, CancellationToken.None);
            }
            catch
            {
                // Answers that cannot be stored are made for nothing.
                await stop.CancelAsync();
                throw;
            }

            foreach (var result in together)
            {
                run.Results.TryAdd(result.Number, result);
            }
        }
    }

    // Writes the counts and stops the work when the row says that it is not wanted any more. Never throws: the work goes on without its counts.
    private async Task WatchAsync(ChunkRun run, CancellationTokenSource stop)
    {
        try
        {
            using var timer = new PeriodicTimer(options.WatchTime, time);
            while (await timer.WaitForNextTickAsync(stop.Token))
            {
                try
                {
                    if (await TellAsync(run, stop.Token) is not { Status: BatchStatus.InProgress } row || IsOver(row))
                    {
                        await stop.CancelAsync();
                    }
                }
                catch (Exception) when (!stop.IsCancellationRequested)
                {
                    // Storage does not answer at the moment; the next tick asks again.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The step is over.
        }
    }

    private Task<Batch?> TellAsync(ChunkRun run, CancellationToken cancellation)
    {
        var tally = run.Tally();
        return store.ChangeAsync(
            run.Batch.Ref(), current => current.NextChunk == run.Batch.NextChunk && current.Current != tally ? current with { Current = tally } : null, cancellation);
    }

    // The key may be gone by now: what it began goes on, as a fine-tune does.
    private static Caller OwnerOf(Batch batch, Account account) => new(
        account,
        new ApiKey
        {
            Id = batch.KeyId, AccountId = account.Id, Sha256 = "", Prefix = "", Name = "", Scopes = [Scopes.Infer], CreatedAt = batch.CreatedAt,
        },
        batch.Id);

    // Results are added by one task and counted by another.
    private sealed class ChunkRun(Batch batch, IEnumerable<BatchLineResult> stored)
    {
        public Batch Batch { get; } = batch;

        public ConcurrentDictionary<long, BatchLineResult> Results { get; } =
            new(stored.Select(result => KeyValuePair.Create(result.Number, result)));

        public BatchTally Tally() => Results.Values.Aggregate(
            new BatchTally(), (sum, result) => sum + new BatchTally(result.IsGood ? 1 : 0, result.IsGood ? 0 : 1, result.InputTokens, result.OutputTokens));
    }
}
