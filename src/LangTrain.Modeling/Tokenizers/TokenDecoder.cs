using System.Text;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>Turns token ids into text while they are being generated; one a sequence, for one thread at a time.</summary>
/// <remarks>A character whose bytes are spread over tokens comes out with its last byte, never in halves; joined, the pieces are what decoding all at once gives.</remarks>
public sealed class TokenDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly Decoder _utf8 = new UTF8Encoding(false, false).GetDecoder();
    private int _leadingLeft;
    private bool _startsText;

    internal TokenDecoder(Tokenizer tokenizer, bool skipSpecialTokens, bool continuesText)
    {
        _tokenizer = tokenizer;
        _skipSpecialTokens = skipSpecialTokens;
        _leadingLeft = continuesText ? 0 : tokenizer.LeadingCount;
        _startsText = !continuesText;
    }

    /// <summary>Takes the next token.</summary>
    /// <param name="id">Its id.</param>
    /// <returns>The text that is complete now; empty while a character still lacks bytes, and for a special token that is skipped.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public string Push(int id)
    {
        if (_skipSpecialTokens && _tokenizer.IsSpecial(id)) return "";
        if (_startsText)
        {
            _startsText = false;
            return Convert(_tokenizer.FirstTokenBytes(id), flush: false);
        }
        return Convert(_tokenizer.Separator, flush: false) + Convert(_tokenizer.TokenBytes(id), flush: false);
    }

    /// <summary>Ends the sequence: bytes that never became a character come out as U+FFFD.</summary>
    /// <returns>What was held back; mostly empty.</returns>
    public string Flush() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        var length = _utf8.GetCharCount(bytes, flush);
        Span<char> characters = length <= 256 ? stackalloc char[length] : new char[length];
        _utf8.GetChars(bytes, characters, flush);
        while (_leadingLeft > 0 && characters.Length > 0)
        {
            if (characters[0] != _tokenizer.LeadingCharacter)
            {
                _leadingLeft = 0;
                break;
            }
            _leadingLeft--;
            characters = characters[1..];
        }
        return new string(characters);
    }
}
