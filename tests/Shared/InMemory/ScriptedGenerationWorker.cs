using System.Runtime.CompilerServices;
using LangTrain.Contracts.Files;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Generation;

namespace LangTrain.Testing;

/// <summary>Answers generation requests by a function that a test gives, and keeps the requests. Thread-safe.</summary>
public sealed class ScriptedGenerationWorker : IGenerationWorker
{
    private readonly Lock _lock = new();
    private readonly List<GenerateWorkItem> _requests = [];
    private int _abandoned;

    /// <summary>Makes the updates of a request; may throw <see cref="GenerationUnavailableException"/> at any place.</summary>
    public Func<GenerateWorkItem, IEnumerable<GenerationUpdate>> Script { get; set; } = static item => Answer(item, "Hello");

    /// <summary>Makes the answer to a tokenize request: by default one token a character.</summary>
    public Func<TokenizeWorkItem, TokenizeResult> Tokenizer { get; set; } = static item =>
    {
        var text = item.Text ?? (item.Ids is { } ids ? string.Concat(ids.Select(id => (char)id)) : item.Messages?.ToString() ?? "");
        return new TokenizeResult([.. text.Select(c => (int)c)], [.. text.Select(c => c.ToString())], text);
    };

    /// <summary>Requests so far.</summary>
    public IReadOnlyList<GenerateWorkItem> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>Enumerations that were broken off before their last update.</summary>
    public int Abandoned => Volatile.Read(ref _abandoned);

    /// <summary>The updates of a good answer with one text a choice, a word a piece.</summary>
    public static IEnumerable<GenerationUpdate> Answer(GenerateWorkItem item, string text, string finishReason = "stop")
    {
        var promptTokens = item.PromptIds?.Count ?? item.Prompt?.Length ?? 1;
        yield return new GenerationUpdate { Type = GenerationUpdate.Started, PromptTokens = promptTokens };
        var pieces = 0;
        for (var index = 0; index < item.N; index++)
        {
            for (var from = 0; from < text.Length; pieces++)
            {
                var space = text.IndexOf(' ', from + 1);
                var to = space < 0 ? text.Length : space;
                yield return new GenerationUpdate { Type = GenerationUpdate.TextPiece, Index = index, Text = text[from..to] };
                from = to;
            }

            yield return new GenerationUpdate { Type = GenerationUpdate.Finished, Index = index, FinishReason = finishReason };
        }

        yield return new GenerationUpdate { Type = GenerationUpdate.Usage, PromptTokens = promptTokens, CompletionTokens = pieces };
    }

    public async IAsyncEnumerable<GenerationUpdate> GenerateAsync(
        GenerateWorkItem item, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            _requests.Add(item);
        }

        var ended = false;
        try
        {
            foreach (var update in Script(item))
            {
                cancellation.ThrowIfCancellationRequested();
                await Task.Yield();
                ended = update.Type is GenerationUpdate.Usage or GenerationUpdate.Failed;
                yield return update;
            }
        }
        finally
        {
            if (!ended)
            {
                Interlocked.Increment(ref _abandoned);
            }
        }
    }

    /// <summary>Makes the answer to a preview: by default one token a character, all learned.</summary>
    public Func<PreviewWorkItem, PreviewResult> Previewer { get; set; } = static item => new PreviewResult([.. item.Rows.Select(row => new FilePreviewRow(
        [new FilePreviewExample([.. row.Select(c => (int)c)], [.. row.Select(c => c.ToString())], [.. row.Select(_ => 1)], [new FilePreviewSegment(row, true)], row.Length)], null))]);

    public Task<PreviewResult> PreviewAsync(PreviewWorkItem item, CancellationToken cancellation = default) => Task.FromResult(Previewer(item));

    public Task<TokenizeResult> TokenizeAsync(TokenizeWorkItem item, CancellationToken cancellation = default) => Task.FromResult(Tokenizer(item));
}
