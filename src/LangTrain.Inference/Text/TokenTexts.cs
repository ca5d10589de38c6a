using System.Globalization;
using System.Text;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Inference.Text;

/// <summary>Tokens as text of their own, for log-probabilities.</summary>
internal static class TokenTexts
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The token with its text and bytes.</summary>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="token">What the engine reported.</param>
    /// <param name="offset">Where its text begins, in code points.</param>
    public static TextTokenLogProbability Describe(Tokenizer tokenizer, in GeneratedToken token, int offset)
    {
        var top = new TextTokenAlternative[token.Top.Count];
        for (var i = 0; i < top.Length; i++)
        {
            var bytes = BytesOf(tokenizer, token.Top[i].TokenId);
            top[i] = new TextTokenAlternative(token.Top[i].TokenId, TextOf(bytes), bytes, token.Top[i].LogProbability);
        }
        var own = BytesOf(tokenizer, token.TokenId);
        return new TextTokenLogProbability
        {
            TokenId = token.TokenId,
            Text = TextOf(own),
            Bytes = own,
            LogProbability = token.LogProbability,
            TextOffset = offset,
            Top = top,
        };
    }

    /// <summary>Unicode code points of a text.</summary>
    public static int CodePoints(string text)
    {
        var count = text.Length;
        foreach (var c in text)
        {
            if (char.IsLowSurrogate(c))
                count--;
        }
        return count;
    }

    // A model may have more logits than its tokenizer has tokens.
    private static byte[] BytesOf(Tokenizer tokenizer, int id) => id < tokenizer.VocabularySize ? tokenizer.TokenBytes(id).ToArray() : [];

    private static string TextOf(byte[] bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            var text = new StringBuilder("bytes:");
            foreach (var value in bytes)
                text.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}");
            return text.ToString();
        }
    }
}
