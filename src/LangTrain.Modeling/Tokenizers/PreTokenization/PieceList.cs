using System.Text;

namespace LangTrain.Modeling.Tokenizers.PreTokenization;

/// <summary>A text and the pieces into which it is cut so far. One per encoding; not for several threads.</summary>
internal sealed class PieceList
{
    private List<(int Start, int Length)> _pieces = [];
    private List<(int Start, int Length)> _next = [];

    /// <param name="text">One stretch between special tokens.</param>
    /// <param name="startsText">Whether the whole input starts here.</param>
    public PieceList(string text, bool startsText)
    {
        Text = text;
        StartsText = startsText;
        if (text.Length > 0) _pieces.Add((0, text.Length));
    }

    public string Text { get; private set; }

    public bool StartsText { get; }

    public List<(int Start, int Length)> Pieces => _pieces;

    /// <summary>Cuts each piece further: <paramref name="cut"/> gets its start and end and calls <see cref="Keep"/>.</summary>
    public void Recut(Action<int, int> cut)
    {
        _next.Clear();
        foreach (var (start, length) in _pieces) cut(start, start + length);
        (_pieces, _next) = (_next, _pieces);
    }

    /// <summary>Adds one new piece, by start and end; an empty one is nothing.</summary>
    public void Keep(int start, int end)
    {
        if (end > start) _next.Add((start, end - start));
    }

    /// <summary>Rewrites every piece, and with them the text.</summary>
    /// <param name="rewrite">Gets the piece and whether it is the first of the input.</param>
    public void Rewrite(Func<string, bool, string> rewrite)
    {
        var text = new StringBuilder(Text.Length + _pieces.Count);
        for (var i = 0; i < _pieces.Count; i++)
        {
            var (start, length) = _pieces[i];
            var piece = rewrite(Text.Substring(start, length), StartsText && start == 0);
            _pieces[i] = (text.Length, piece.Length);
            text.Append(piece);
        }
        Text = text.ToString();
    }
}
