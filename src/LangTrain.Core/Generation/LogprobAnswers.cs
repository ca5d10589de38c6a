using LangTrain.Contracts.Generation;

namespace LangTrain.Core.Generation;

/// <summary>Log-probabilities in the two shapes of the API.</summary>
internal static class LogprobAnswers
{
    // OpenAI's stand-in for a probability of 0: -Infinity has no JSON.
    private const double Impossible = -9999;

    /// <summary>The lists of <c>/completions</c>.</summary>
    public static CompletionLogprobs ForCompletion(IReadOnlyList<TokenLogprob> tokens, int top) => new(
        [.. tokens.Select(token => token.Token)],
        [.. tokens.Select(token => token.Logprob is { } logprob ? Finite(logprob) : (double?)null)],
        top == 0 ? null : [.. tokens.Select(TopByText)],
        [.. tokens.Select(token => token.Offset)]);

    /// <summary>Several pieces as one.</summary>
    public static CompletionLogprobs Join(IReadOnlyList<CompletionLogprobs> pieces) => new(
        [.. pieces.SelectMany(piece => piece.Tokens)],
        [.. pieces.SelectMany(piece => piece.TokenLogprobs)],
        pieces.All(piece => piece.TopLogprobs is null) ? null : [.. pieces.SelectMany(piece => piece.TopLogprobs ?? [])],
        [.. pieces.SelectMany(piece => piece.TextOffset)]);

    /// <summary>The list of <c>/chat/completions</c>.</summary>
    public static ChatLogprobs ForChat(IReadOnlyList<TokenLogprob> tokens) => new([.. tokens.Select(token => ForChat(token, withTop: true))]);

    private static ChatTokenLogprob ForChat(TokenLogprob token, bool withTop) => new(
        token.Token, Finite(token.Logprob ?? 0), token.Bytes, withTop ? [.. (token.Top ?? []).Select(other => ForChat(other, withTop: false))] : null);

    private static Dictionary<string, double>? TopByText(TokenLogprob token)
    {
        if (token.Top is not { } top)
        {
            return null;
        }

        var byText = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var other in top)
        {
            // Two halves of different characters are both U+FFFD as text: the likelier one stands.
            byText.TryAdd(other.Token, Finite(other.Logprob ?? 0));
        }

        return byText;
    }

    private static double Finite(double logprob) => double.IsFinite(logprob) ? logprob : Impossible;
}
