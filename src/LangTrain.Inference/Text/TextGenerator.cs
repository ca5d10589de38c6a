using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using LangTrain.Inference.Sampling;
using LangTrain.Inference.Structured;
using LangTrain.Inference.Text;
using LangTrain.Modeling.ChatTemplates;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Inference;

/// <summary>
/// Text in, text out over one base model: encodes the prompt, runs a row for each answer on the <see cref="GenerationEngine"/>, and gives the
/// text back in whole characters with stop strings, log-probabilities, tool calls and usage. Thread-safe; holds no state between requests.
/// </summary>
public sealed class TextGenerator
{
    private readonly GenerationEngine _engine;
    private readonly Tokenizer _tokenizer;
    private readonly ChatPromptEncoder? _chat;
    private readonly HashSet<int> _stopTokenIds;
    private readonly StructuredOutput _structured;

    /// <summary>A generator over a running engine.</summary>
    /// <param name="engine">The engine of the base model; not disposed here.</param>
    /// <param name="tokenizer">The base model's tokenizer.</param>
    /// <param name="chat">Renders chats; null where the model has no chat template.</param>
    /// <param name="stopTokenIds">Tokens that end an answer: the model's end-of-sequence tokens.</param>
    public TextGenerator(GenerationEngine engine, Tokenizer tokenizer, ChatPromptEncoder? chat, IEnumerable<int> stopTokenIds)
    {
        (_engine, _tokenizer, _chat) = (engine, tokenizer, chat);
        _stopTokenIds = [.. stopTokenIds];
        _structured = new StructuredOutput(engine.VocabularySize, tokenizer, _stopTokenIds);
    }

    /// <summary>Tokens that a prompt and its answer may have together.</summary>
    public int ContextLength => _engine.ContextLength;

    /// <summary>
    /// Starts a request. The request is checked, encoded and queued before this returns, so that what is wrong with it is thrown here and not
    /// in the middle of a stream.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Ends all of the request's rows within one step.</param>
    /// <returns>The updates, to be read once. Leaving the loop early ends the rows; one that is never read must be cancelled by the token.</returns>
    /// <exception cref="GenerationParameterException">A parameter is refused; it is named.</exception>
    /// <exception cref="ContextLengthExceededException">The prompt leaves no room for an answer.</exception>
    /// <exception cref="EngineQueueFullException">Too many requests wait.</exception>
    /// <exception cref="ChatTemplateException">The chat template refuses the messages; the message is the template's own.</exception>
    public IAsyncEnumerable<TextGenerationUpdate> GenerateAsync(TextGenerationRequest request, CancellationToken cancellationToken = default)
    {
        Validate(request);
        var prompt = EncodePrompt(request);
        var constraint = ConstraintOf(request);
        var seed = request.Sampling.Seed ?? Random.Shared.NextInt64();
        var rows = new GenerationRequest[request.ChoiceCount];
        var leases = new AdapterLease?[rows.Length]; // Each row holds the adapter until it is in no step any more, whatever its reader does.
        try
        {
            for (var i = 0; i < rows.Length; i++)
            {
                var lease = leases[i] = request.Adapter?.Share();
                rows[i] = new GenerationRequest
                {
                    PromptTokens = prompt,
                    Adapter = lease?.Adapter,
                    Left = lease is null ? null : () => _ = lease.DisposeAsync().AsTask(),
                    Sampling = request.Sampling with { Seed = TokenRandom.SeedOfChoice(seed, i) },
                    MaxNewTokens = request.MaxNewTokens,
                    StopTokenIds = _stopTokenIds,
                    TopLogProbabilities = request.TopLogProbabilities,
                    PromptLogProbabilities = request is { Echo: true, TopLogProbabilities: not null },
                    Priority = request.Priority,
                    FairnessKey = request.FairnessKey,
                    Constraint = constraint?.Invoke(),
                };
            }
            return ReadAsync(request, prompt, _engine.Submit(rows, cancellationToken), cancellationToken);
        }
        catch
        {
            foreach (var lease in leases)
                _ = lease?.DisposeAsync().AsTask();
            throw;
        }
    }

    /// <summary>Runs a request to its end.</summary>
    /// <inheritdoc cref="GenerateAsync"/>
    /// <returns>All answers.</returns>
    public async Task<TextGenerationResult> CompleteAsync(TextGenerationRequest request, CancellationToken cancellationToken = default)
    {
        var result = new TextGenerationResultBuilder(request.ChoiceCount);
        await foreach (var update in GenerateAsync(request, cancellationToken))
            result.Add(update);
        return result.Build();
    }

    /// <summary>The prompt's token ids as the model will see them.</summary>
    /// <exception cref="GenerationParameterException">Not exactly one kind of prompt is given, or the model has no chat template.</exception>
    /// <exception cref="ChatTemplateException">The chat template refuses the messages.</exception>
    public IReadOnlyList<int> EncodePrompt(TextGenerationRequest request)
    {
        var kinds = (request.Prompt is null ? 0 : 1) + (request.PromptTokens is null ? 0 : 1) + (request.Messages is null ? 0 : 1);
        if (kinds != 1)
            throw new GenerationParameterException("prompt", "Exactly one of a text prompt, prompt tokens and messages is needed.");
        if (request.PromptTokens is { } tokens)
            return tokens;
        if (request.Prompt is { } text)
            return _tokenizer.Encode(text, addSpecialTokens: true, request.ParseSpecialTokens);
        if (_chat is null)
            throw new GenerationParameterException("messages", "This model has no chat template; use completions with a prompt.");
        var tools = request.ToolChoice.Mode == "none" ? null : request.Tools;
        return _chat.Encode(new ChatRenderInput(request.Messages!.Value) { Tools = tools, AddGenerationPrompt = true });
    }

    // A call that must be made is held to its schema as one JSON object, which the reader of tool calls knows whatever the template's own way.
    // Makes one a row.
    private Func<ITokenConstraint>? ConstraintOf(TextGenerationRequest request)
    {
        switch (request)
        {
            case { Tools: { } tools, ToolChoice.Mode: "required" or "function" }:
                return Held(_structured.CompileCall(tools, request.ToolChoice.FunctionName));
            case { Tools: { } tools, ToolChoice.Mode: "auto", ResponseFormat: { } format } when tools.GetArrayLength() > 0:
                return Held(_structured.CompileCallOr(tools, format));
            case { ResponseFormat: { } format }:
                return Held(_structured.Compile(format));
            case { Tools: { } tools, ToolChoice.Mode: "auto" } when _structured.CompileStrictCall(tools) is { } call:
                return () => new StrictCallConstraint(call);
            default:
                return null;
        }

        static Func<ITokenConstraint> Held(CompiledGrammar grammar) => () => new GrammarConstraint(grammar);
    }

    private static void Validate(TextGenerationRequest request)
    {
        if (request.ChoiceCount is < 1 or > 128)
            throw new GenerationParameterException("n", $"n is {request.ChoiceCount}; it must be from 1 to 128.");
        if (request.Stop.Any(string.IsNullOrEmpty))
            throw new GenerationParameterException("stop", "A stop string is empty.");
        if (request.Echo && request.Messages is not null)
            throw new GenerationParameterException("echo", "echo is for completions; a chat's prompt cannot be echoed.");
        if (request.Tools is { } tools && tools.ValueKind != JsonValueKind.Array)
            throw new GenerationParameterException("tools", "tools must be an array.");
        if (request.Tools is not null && request.Messages is null)
            throw new GenerationParameterException("tools", "tools are for chats; a completion calls none.");
        if (request.Tools is null && request.ToolChoice.Mode is "required" or "function")
            throw new GenerationParameterException("tool_choice", $"tool_choice is {request.ToolChoice.Mode}, and there are no tools.");
    }

    private async IAsyncEnumerable<TextGenerationUpdate> ReadAsync(
        TextGenerationRequest request, IReadOnlyList<int> prompt, IReadOnlyList<GenerationStream> streams,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var functions = ToolCallReader.FunctionsOf(request);
        var choices = new ChoiceText[streams.Count];
        for (var i = 0; i < choices.Length; i++)
            choices[i] = new ChoiceText(i, _tokenizer, request, functions is null ? null : new ToolCallReader(functions, request.OneToolCall));
        try
        {
            yield return new TextGenerationUpdate { PromptTokens = prompt.Count };
            var updates = choices.Length == 1
                ? ReadChoiceAsync(streams[0], choices[0], prompt, cancellationToken)
                : ReadTogetherAsync(streams, choices, prompt, cancellationToken);
            await foreach (var update in updates.WithCancellation(cancellationToken))
                yield return update;
        }
        finally
        {
            foreach (var stream in streams)
                stream.Dispose();
        }
        yield return new TextGenerationUpdate { Usage = new GenerationUsage(prompt.Count, choices.Sum(c => c.CompletionTokens), streams[0].ReusedTokens) };
    }

    private static async IAsyncEnumerable<TextGenerationUpdate> ReadChoiceAsync(
        GenerationStream stream, ChoiceText choice, IReadOnlyList<int> prompt, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (choice.Begin(prompt) is { } echo)
            yield return echo;
        await foreach (var token in stream.ReadAllAsync(cancellationToken))
        {
            if (choice.Push(token) is { } update)
                yield return update;
            if (choice.IsStopped)
                break;
        }
        yield return choice.End(stream.FinishReason ?? FinishReason.Stop);
    }

    // Each choice has a reader of its own; their updates come out in the order in which they are made.
    private static async IAsyncEnumerable<TextGenerationUpdate> ReadTogetherAsync(
        IReadOnlyList<GenerationStream> streams, ChoiceText[] choices, IReadOnlyList<int> prompt,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var updates = Channel.CreateUnbounded<TextGenerationUpdate>(new UnboundedChannelOptions { SingleReader = true });
        var readers = Task.WhenAll(choices.Select(async (choice, i) =>
        {
            await foreach (var update in ReadChoiceAsync(streams[i], choice, prompt, cancellationToken))
                updates.Writer.TryWrite(update);
        }));
        _ = readers.ContinueWith(done => updates.Writer.TryComplete(done.Exception?.InnerException), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await foreach (var update in updates.Reader.ReadAllAsync(cancellationToken))
            yield return update;
        await readers;
    }
}
