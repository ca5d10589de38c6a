using System.Runtime.CompilerServices;
using System.Threading.Channels;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Usage;

namespace LangTrain.Core.Generation;

/// <summary>Runs the prompts of one request on the workers and counts their tokens.</summary>
/// <remarks>
/// Used for one request and by one reader. Updates of all prompts come in one stream, in order within a prompt, with
/// <see cref="GenerationUpdate.Index"/> = prompt × n + answer. Leaving the enumeration stops the work on every prompt.
/// </remarks>
internal sealed class PromptRun(IGenerationWorker worker, UsageRecorder usage, Caller caller, string modelId, IReadOnlyList<GenerateWorkItem> items)
{
    private long _promptTokens, _completionTokens, _cachedTokens;
    private bool _cachedKnown;

    /// <summary>Tokens so far; true once the stream has ended.</summary>
    public TokenUsageAnswer Usage
    {
        get
        {
            var (prompt, made) = (Interlocked.Read(ref _promptTokens), Interlocked.Read(ref _completionTokens));
            return new TokenUsageAnswer(prompt, made, prompt + made, _cachedKnown ? new PromptTokensDetails(Interlocked.Read(ref _cachedTokens)) : null);
        }
    }

    /// <summary>The updates of all prompts; <c>usage</c> and <c>started</c> ones are counted and the latter passed on.</summary>
    /// <param name="atOnce">Prompts worked on at once.</param>
    /// <param name="failAlone">True: a failed prompt gives an <c>error</c> update and the others go on. False: it ends the stream.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">A prompt failed, unless <paramref name="failAlone"/>.</exception>
    public async IAsyncEnumerable<GenerationUpdate> RunAsync(
        int atOnce, bool failAlone, [EnumeratorCancellation] CancellationToken cancellation)
    {
        caller.ModelKnown?.Invoke(modelId);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (items.Count == 1 && !failAlone)
        {
            await foreach (var update in OneAsync(items[0], 0, stop.Token))
            {
                yield return update;
            }

            yield break;
        }

        // Bounded, so that a client that reads slowly slows the workers down instead of filling memory.
        var updates = Channel.CreateBounded<GenerationUpdate>(new BoundedChannelOptions(256) { SingleReader = true });
        var running = FillAsync(updates.Writer, atOnce, failAlone, stop.Token);
        try
        {
            await foreach (var update in updates.Reader.ReadAllAsync(cancellation))
            {
                yield return update;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await running;
        }
    }

    // Ends the channel with the first failure; never throws itself.
    private async Task FillAsync(ChannelWriter<GenerationUpdate> writer, int atOnce, bool failAlone, CancellationToken cancellation)
    {
        try
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = cancellation };
            await Parallel.ForEachAsync(Enumerable.Range(0, items.Count), options, async (i, stop) =>
            {
                try
                {
                    await foreach (var update in OneAsync(items[i], i, stop))
                    {
                        await writer.WriteAsync(update, stop);
                    }
                }
                catch (ApiException e) when (failAlone)
                {
                    var failure = new GenerationFailure(e.Status, e.Code, e.Message, e.Param);
                    await writer.WriteAsync(new GenerationUpdate { Type = GenerationUpdate.Failed, Index = i * items[i].N, Error = failure }, stop);
                }
            });
            writer.TryComplete();
        }
        catch (Exception e)
        {
            writer.TryComplete(e);
        }
    }

    private async IAsyncEnumerable<GenerationUpdate> OneAsync(
        GenerateWorkItem item, int prompt, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long promptTokens = 0, completionTokens = 0;
        var ended = false;
        try
        {
            await foreach (var update in Guarded(item, cancellation))
            {
                switch (update.Type)
                {
                    case GenerationUpdate.Failed:
                        throw WorkerErrors.From(update.Error ?? new GenerationFailure(500, "internal_error", "The worker failed without saying why."));
                    case GenerationUpdate.Usage:
                        promptTokens = update.PromptTokens ?? promptTokens;
                        completionTokens = update.CompletionTokens ?? completionTokens;
                        if (update.CachedTokens is { } cached)
                        {
                            Interlocked.Add(ref _cachedTokens, cached);
                            _cachedKnown = true;
                        }

                        ended = true;
                        break;
                    case GenerationUpdate.Started:
                        promptTokens = update.PromptTokens ?? 0;
                        yield return update with { Index = prompt * item.N };
                        break;
                    default:
                        // Counted only until the worker's own number comes: what a broken-off request used, about.
                        completionTokens += update.Type == GenerationUpdate.TextPiece ? 1 : 0;
                        yield return update with { Index = (prompt * item.N) + update.Index };
                        break;
                }
            }

            if (!ended)
            {
                throw WorkerErrors.From(new GenerationUnavailableException("The worker's answer ended before its usage."));
            }
        }
        finally
        {
            Interlocked.Add(ref _promptTokens, promptTokens);
            Interlocked.Add(ref _completionTokens, completionTokens);
            usage.Add(caller.AccountId, caller.Key.Id, modelId, new UsageAmounts { InputTokens = promptTokens, OutputTokens = completionTokens });
        }
    }

    // The worker's stream with its exceptions turned into API errors; an iterator cannot yield inside a try with a catch.
    private async IAsyncEnumerable<GenerationUpdate> Guarded(GenerateWorkItem item, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var updates = worker.GenerateAsync(item, cancellation).GetAsyncEnumerator(cancellation);
        while (true)
        {
            try
            {
                if (!await updates.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (GenerationUnavailableException e)
            {
                throw WorkerErrors.From(e);
            }
            catch (GenerationFailedException e)
            {
                throw WorkerErrors.From(e.Failure);
            }

            yield return updates.Current;
        }
    }
}
