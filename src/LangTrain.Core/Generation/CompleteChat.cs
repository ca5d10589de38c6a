using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Models;
using LangTrain.Core.Usage;

namespace LangTrain.Core.Generation;

/// <summary>Answers chats: <c>POST /chat/completions</c>. Thread-safe.</summary>
public sealed class CompleteChat(ModelCatalog models, IGenerationWorker worker, UsageRecorder usage, TimeProvider time)
{
    /// <summary>The whole answer.</summary>
    /// <exception cref="ApiException">404, 409, or what the worker says.</exception>
    public async Task<ChatCompletionAnswer> ExecuteAsync(Caller caller, ChatRequest request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        var run = await BeginAsync(caller, request, cancellation);
        var texts = Enumerable.Range(0, request.Sampling.N).Select(_ => new StringBuilder()).ToArray();
        var logprobs = new List<TokenLogprob>[request.Sampling.N];
        var ends = new GenerationUpdate?[request.Sampling.N];
        await foreach (var update in run.RunAsync(1, failAlone: false, cancellation))
        {
            if (update.Type == GenerationUpdate.TextPiece)
            {
                texts[update.Index].Append(update.Text);
                (logprobs[update.Index] ??= []).AddRange(update.Logprobs ?? []);
            }
            else if (update.Type == GenerationUpdate.Finished)
            {
                ends[update.Index] = update;
            }
        }

        return Shell(request.Model, "chat.completion") with
        {
            Usage = run.Usage,
            Choices = [.. texts.Select((text, index) => new ChatChoice
            {
                Index = index,
                Message = new ChatMessageAnswer(
                    "assistant", text.Length == 0 && ends[index]?.ToolCalls is not null ? null : text.ToString(), ends[index]?.ToolCalls),
                FinishReason = ends[index]?.FinishReason,
                Logprobs = request.Logprobs ? LogprobAnswers.ForChat(logprobs[index] ?? []) : null,
            })],
        };
    }

    /// <summary>The answer in chunks. What can be refused before the first chunk is thrown before it.</summary>
    /// <exception cref="ApiException">404, 409, or what the worker says, at any place.</exception>
    public async IAsyncEnumerable<ChatCompletionAnswer> StreamAsync(
        Caller caller, ChatRequest request, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        var run = await BeginAsync(caller, request, cancellation);
        var shell = Shell(request.Model, "chat.completion.chunk");
        var begun = new int[request.Sampling.N];
        await foreach (var update in run.RunAsync(1, failAlone: false, cancellation))
        {
            foreach (var choice in Chunks(update, request, begun))
            {
                yield return shell with { Choices = [choice] };
            }
        }

        if (request.Streaming.IncludeUsage)
        {
            yield return shell with { Choices = [], Usage = run.Usage };
        }
    }

    // begun: tool calls of each choice that have had a chunk.
    private static IEnumerable<ChatChoice> Chunks(GenerationUpdate update, ChatRequest request, int[] begun)
    {
        switch (update.Type)
        {
            case GenerationUpdate.Started:
                for (var i = 0; i < request.Sampling.N; i++)
                {
                    yield return new ChatChoice { Index = i, Delta = new ChatDelta("assistant", "") };
                }

                break;
            case GenerationUpdate.TextPiece when update.Text is { Length: > 0 } || update.Logprobs is { Count: > 0 }:
                yield return new ChatChoice
                {
                    Index = update.Index,
                    Delta = new ChatDelta(Content: update.Text ?? ""),
                    Logprobs = request.Logprobs ? LogprobAnswers.ForChat(update.Logprobs ?? []) : null,
                };
                break;
            case GenerationUpdate.ToolCallPiece when update.ToolCalls is { } pieces:
                begun[update.Index] = pieces.EnumerateArray().Max(piece => piece.GetProperty("index").GetInt32()) + 1;
                yield return new ChatChoice { Index = update.Index, Delta = new ChatDelta(ToolCalls: pieces) };
                break;
            case GenerationUpdate.Finished:
                if (update.ToolCalls is { } calls && calls.GetArrayLength() > begun[update.Index])
                {
                    yield return new ChatChoice { Index = update.Index, Delta = new ChatDelta(ToolCalls: Numbered(calls, begun[update.Index])) };
                }

                yield return new ChatChoice { Index = update.Index, Delta = new ChatDelta(), FinishReason = update.FinishReason };
                break;
        }
    }

    // Clients join the pieces of a streamed tool call by its index.
    private static JsonElement Numbered(JsonElement calls, int from)
    {
        var array = new JsonArray();
        foreach (var (i, call) in calls.EnumerateArray().Index().Skip(from))
        {
            var numbered = JsonObject.Create(call)!;
            numbered["index"] = i;
            array.Add(numbered);
        }

        return JsonElement.Parse(array.ToJsonString());
    }

    private async Task<PromptRun> BeginAsync(Caller caller, ChatRequest request, CancellationToken cancellation)
    {
        var (model, target) = await models.ResolveAsync(caller.AccountId, request.Model, cancellation: cancellation);
        if (model.SupportedTasks.Count > 0 && !model.SupportedTasks.Contains("chat"))
        {
            throw ApiErrors.Invalid(
                $"The model '{ApiErrors.Shorten(request.Model)}' has no chat template; it continues texts at /completions.", "model", "chat_not_supported");
        }

        var item = request.Sampling.ToWorkItem(caller.RequestId, caller.AccountId, target) with
        {
            Messages = request.Messages,
            Tools = request.Tools,
            ToolChoice = request.ToolChoice,
            ParallelToolCalls = request.ParallelToolCalls,
            ResponseFormat = request.ResponseFormat,
            MaxTokens = request.MaxTokens,
            Logprobs = request.Logprobs,
            TopLogprobs = request.TopLogprobs,
            Priority = request.Priority,
        };
        return new PromptRun(worker, usage, caller, model.Id, [item]);
    }

    private ChatCompletionAnswer Shell(string model, string kind) => new()
    {
        Id = Ids.New("chatcmpl", time),
        Object = kind,
        Created = time.GetUtcNow().ToUnixTimeSeconds(),
        Model = model,
        Choices = [],
    };
}
