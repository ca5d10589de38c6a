using System.Text;

namespace LangTrain.Inference.Text;

/// <summary>
/// Finds stop strings in text that comes in pieces. Text that may still turn out to be the beginning of a stop string is held back until it is
/// certain, so nothing of a stop string ever leaves.
/// </summary>
internal sealed class StopMatcher(IReadOnlyList<string> stops)
{
    private readonly StringBuilder _held = new();

    /// <summary>True once a stop string was found; no more text comes out then.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Which stop string was found.</summary>
    public string? Matched { get; private set; }

    /// <summary>Text of the piece that brought the stop string, after it.</summary>
    public string AfterMatch { get; private set; } = "";

    /// <summary>True while some text is held back.</summary>
    public bool IsHolding => _held.Length > 0;

    /// <summary>Adds a piece.</summary>
    /// <returns>Text that is certain to come before any stop string.</returns>
    public string Push(string piece)
    {
        if (IsStopped || piece.Length == 0)
            return "";
        if (stops.Count == 0)
            return piece;
        var text = _held.Length == 0 ? piece : _held.Append(piece).ToString();
        _held.Clear();
        var cut = text.Length;
        foreach (var stop in stops)
        {
            var at = text.AsSpan(0, Math.Min(text.Length, cut + stop.Length - 1)).IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && (at < cut || Matched is null))
                (cut, Matched) = (at, stop);
        }
        if (Matched is not null)
        {
            IsStopped = true;
            AfterMatch = text[(cut + Matched.Length)..];
            return text[..cut];
        }
        var certain = text.Length - LongestBeginning(text);
        _held.Append(text, certain, text.Length - certain);
        return text[..certain];
    }

    /// <summary>The held text, which is certain once nothing more comes.</summary>
    public string Flush()
    {
        var text = IsStopped ? "" : _held.ToString();
        _held.Clear();
        return text;
    }

    // Length of the longest end of the text that is a beginning of some stop string.
    private int LongestBeginning(string text)
    {
        var longest = 0;
        foreach (var stop in stops)
        {
            for (var length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                    longest = length;
            }
        }
        return longest;
    }
}
