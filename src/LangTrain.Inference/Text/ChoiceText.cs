using System.Text;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Inference.Text;

/// <summary>
/// Turns one row's tokens into updates: whole characters, stop strings found across token borders, log-probabilities released with their text.
/// </summary>
/// <remarks>One reader's; not thread-safe.</remarks>
internal sealed class ChoiceText
{
    private readonly int _index;
    private readonly Tokenizer _tokenizer;
    private readonly TokenDecoder _decoder;
    private readonly StopMatcher _stop;
    private readonly ToolCallReader? _toolCalls;
    private readonly bool _logProbabilities;
    private readonly bool _echo;
    private readonly Queue<TextTokenLogProbability> _waiting = new();
    private int _decoded; // Code points that the decoder gave.
    private int _released; // Code points of them that are certain to come before a stop string.

    /// <summary>A choice at the start of its answer.</summary>
    /// <param name="index">Which of the n.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="request">The request.</param>
    /// <param name="toolCalls">Looks for tool calls; null where the request offers none.</param>
    public ChoiceText(int index, Tokenizer tokenizer, TextGenerationRequest request, ToolCallReader? toolCalls)
    {
        _index = index;
        _tokenizer = tokenizer;
        _decoder = tokenizer.CreateDecoder();
        _stop = new StopMatcher(request.Stop);
        _toolCalls = toolCalls;
        _logProbabilities = request.TopLogProbabilities is not null;
        _echo = request.Echo;
    }

    /// <summary>Tokens of the answer, up to the one that completed a stop string.</summary>
    public int CompletionTokens { get; private set; }

    /// <summary>True when a stop string was found, or the one tool call that is wanted: the row is not needed any more.</summary>
    public bool IsStopped => _stop.IsStopped || _toolCalls is { IsDone: true };

    /// <summary>Shows the decoder the prompt: what the answer's first token reads as may depend on what it follows.</summary>
    /// <returns>The update that echoes the prompt; null where none is wanted, and where the engine reports the prompt's tokens itself.</returns>
    public TextGenerationUpdate? Begin(IReadOnlyList<int> prompt)
    {
        if (_echo && _logProbabilities)
            return null;
        var text = new StringBuilder();
        foreach (var id in prompt)
            text.Append(_decoder.Push(id));
        if (!_echo)
            return null;
        _decoded = _released = TokenTexts.CodePoints(text.ToString());
        return new TextGenerationUpdate { ChoiceIndex = _index, Text = text.ToString() };
    }

    /// <summary>Adds a token.</summary>
    /// <returns>What became certain by it; null where nothing did.</returns>
    public TextGenerationUpdate? Push(in GeneratedToken token)
    {
        if (_logProbabilities)
            _waiting.Enqueue(TokenTexts.Describe(_tokenizer, token, _decoded));
        if (!token.IsPrompt)
            CompletionTokens++;
        // A model may have more logits than its tokenizer has tokens.
        var piece = token.TokenId < _tokenizer.VocabularySize ? _decoder.Push(token.TokenId) : "";
        _decoded += TokenTexts.CodePoints(piece);
        return Update(token.IsPrompt ? piece : _stop.Push(piece), null);
    }

    /// <summary>The last update: what was held back, and why the choice ended.</summary>
    /// <param name="reason">Why the row ended; a stop string's own reason comes first.</param>
    public TextGenerationUpdate End(FinishReason reason)
    {
        var text = "";
        if (!_stop.IsStopped)
        {
            text = _decoder.Flush();
            _decoded += TokenTexts.CodePoints(text);
            text = _stop.Push(text) + _stop.Flush();
        }
        return Update(text, _stop.IsStopped ? FinishReason.Stop : reason)!;
    }

    private TextGenerationUpdate? Update(string text, FinishReason? reason)
    {
        _released += TokenTexts.CodePoints(text);
        List<TextTokenLogProbability>? released = null;
        // A token goes out once its text has begun to; one that a stop string swallowed never does.
        while (_waiting.TryPeek(out var first) && (first.TextOffset < _released || (!_stop.IsHolding && !_stop.IsStopped)))
            (released ??= []).Add(_waiting.Dequeue());
        IReadOnlyList<ToolCall>? calls = null;
        IReadOnlyList<ToolCallPiece>? pieces = null;
        if (_toolCalls is not null)
        {
            text = _toolCalls.Push(text);
            pieces = _toolCalls.TakePieces();
            if (reason is not null)
                (text, calls) = _toolCalls.End(text);
            if (calls is not null && reason == FinishReason.Stop)
                reason = FinishReason.ToolCalls;
        }
        if (text.Length == 0 && released is null && pieces is null && reason is null)
            return null;
        return new TextGenerationUpdate
        {
            ChoiceIndex = _index, Text = text, LogProbabilities = released, ToolCallPieces = pieces, ToolCalls = calls, FinishReason = reason,
        };
    }
}
