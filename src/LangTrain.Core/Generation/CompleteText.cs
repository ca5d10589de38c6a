using System.Runtime.CompilerServices;
using System.Text;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Models;
using LangTrain.Core.Usage;

namespace LangTrain.Core.Generation;

/// <summary>Continues texts: <c>POST /completions</c> and <c>/batch/completions</c>. Thread-safe.</summary>
public sealed class CompleteText(ModelCatalog models, IGenerationWorker worker, UsageRecorder usage, TimeProvider time)
{
    /// <summary>The whole answer; one bad prompt ends it.</summary>
    /// <exception cref="ApiException">404, 409, or what the worker says.</exception>
    public async Task<CompletionAnswer> ExecuteAsync(Caller caller, CompletionRequest request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        var run = await BeginAsync(caller, request, request.Prompts, cancellation);
        var choices = new CompletionChoices(request, request.Prompts.Count * request.Sampling.N);
        await foreach (var update in run.RunAsync(request.AtOnce, failAlone: false, cancellation))
        {
            choices.Add(update);
        }

        return Shell(request.Model) with { Choices = choices.Whole(), Usage = run.Usage };
    }

    /// <summary>The answer of a batch: prompts fail alone, the order is that of the prompts.</summary>
    /// <exception cref="ApiException">404, 409.</exception>
    public async Task<CompletionAnswer> ExecuteBatchAsync(Caller caller, CompletionRequest request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        var good = request.Prompts.Index().Where(pair => pair.Item.Problem is null).ToArray();
        var run = await BeginAsync(caller, request, [.. good.Select(pair => pair.Item)], cancellation);
        var choices = new CompletionChoices(request, request.Prompts.Count);
        foreach (var (index, prompt) in request.Prompts.Index())
        {
            if (prompt.Problem is { } problem)
            {
                choices.Fail(index, ApiErrors.Invalid([problem]));
            }
        }

        await foreach (var update in run.RunAsync(request.AtOnce, failAlone: true, cancellation))
        {
            choices.Add(update with { Index = good[update.Index].Index });
        }

        return Shell(request.Model) with { Choices = choices.Whole(), Usage = run.Usage };
    }

    /// <summary>The answer in chunks. What can be refused before the first chunk is thrown before it.</summary>
    /// <exception cref="ApiException">404, 409, or what the worker says, at any place.</exception>
    public async IAsyncEnumerable<CompletionAnswer> StreamAsync(
        Caller caller, CompletionRequest request, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        var run = await BeginAsync(caller, request, request.Prompts, cancellation);
        var shell = Shell(request.Model);
        var choices = new CompletionChoices(request, request.Prompts.Count * request.Sampling.N);
        await foreach (var update in run.RunAsync(request.AtOnce, failAlone: false, cancellation))
        {
            if (choices.Chunk(update) is { } choice)
            {
                yield return shell with { Choices = [choice] };
            }
        }

        if (request.Streaming.IncludeUsage)
        {
            yield return shell with { Choices = [], Usage = run.Usage };
        }
    }

    private async Task<PromptRun> BeginAsync(
        Caller caller, CompletionRequest request, IReadOnlyList<PromptText> prompts, CancellationToken cancellation)
    {
        var (model, target) = await models.ResolveAsync(caller.AccountId, request.Model, cancellation: cancellation);
        var shared = request.Sampling.ToWorkItem(caller.RequestId, caller.AccountId, target) with
        {
            MaxTokens = request.MaxTokens,
            Echo = request.Echo,
            Logprobs = request.Logprobs is not null,
            TopLogprobs = request.Logprobs ?? 0,
            Priority = request.Priority,
        };
        return new PromptRun(worker, usage, caller, model.Id, [.. prompts.Select(prompt => shared with { Prompt = prompt.Text, PromptIds = prompt.Ids })]);
    }

    private CompletionAnswer Shell(string model) => new()
    {
        Id = Ids.New("cmpl", time),
        Created = time.GetUtcNow().ToUnixTimeSeconds(),
        Model = model,
        Choices = [],
    };

    /// <summary>The choices of one request as they grow.</summary>
    private sealed class CompletionChoices(CompletionRequest request, int count)
    {
        private readonly Growing[] _growing = [.. Enumerable.Range(0, count).Select(_ => new Growing())];

        public void Add(GenerationUpdate update)
        {
            var choice = _growing[update.Index];
            switch (update.Type)
            {
                case GenerationUpdate.TextPiece:
                    choice.Text.Append(update.Text);
                    if (Logprobs(update) is { } logprobs)
                    {
                        choice.Logprobs.Add(logprobs);
                    }

                    break;
                case GenerationUpdate.Finished:
                    choice.FinishReason = update.FinishReason;
                    break;
                case GenerationUpdate.Failed:
                    Fail(update.Index, WorkerErrors.From(update.Error!));
                    break;
            }
        }

        public void Fail(int index, ApiException error) => _growing[index].Error = error;

        public CompletionChoice? Chunk(GenerationUpdate update) => update.Type switch
        {
            GenerationUpdate.TextPiece when update.Text is { Length: > 0 } || update.Logprobs is { Count: > 0 } => new CompletionChoice
            {
                Index = update.Index,
                Text = update.Text ?? "",
                Delta = new CompletionDelta(update.Text ?? ""),
                Logprobs = Logprobs(update),
            },
            GenerationUpdate.Finished => new CompletionChoice
            {
                Index = update.Index, Text = "", Delta = new CompletionDelta(null), FinishReason = update.FinishReason,
            },
            _ => null,
        };

        public IReadOnlyList<CompletionChoice> Whole() => [.. _growing.Select((choice, index) => choice.Error is { } error
            ? new CompletionChoice { Index = index, Text = "", FinishReason = "error", Error = error.ToEnvelope().Error }
            : new CompletionChoice
            {
                Index = index,
                Text = choice.Text.ToString(),
                FinishReason = choice.FinishReason,
                Logprobs = choice.Logprobs.Count == 0 ? null : LogprobAnswers.Join(choice.Logprobs),
            })];

        private CompletionLogprobs? Logprobs(GenerationUpdate update) => request.Logprobs is { } top && update.Logprobs is { Count: > 0 } tokens
            ? LogprobAnswers.ForCompletion(tokens, top)
            : null;

        private sealed class Growing
        {
            public readonly StringBuilder Text = new();
            public readonly List<CompletionLogprobs> Logprobs = [];
            public string? FinishReason;
            public ApiException? Error;
        }
    }
}
