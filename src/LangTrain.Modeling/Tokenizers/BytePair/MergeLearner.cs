namespace LangTrain.Modeling.Tokenizers.BytePair;

/// <summary>Finds the merges of byte pair encoding: again and again the pair that is most frequent over all pieces.</summary>
internal sealed class MergeLearner
{
    private readonly List<(List<int> Symbols, long Count)> _pieces = [];
    private readonly List<string> _texts = [];
    private readonly Dictionary<string, int> _symbols = [];
    private readonly Dictionary<(int Left, int Right), long> _pairCounts = [];
    private readonly Dictionary<(int Left, int Right), HashSet<int>> _piecesOfPair = [];

    /// <param name="pieces">Bytes of each different piece and how often it is there.</param>
    public MergeLearner(IEnumerable<(byte[] Bytes, long Count)> pieces)
    {
        for (var b = 0; b < 256; b++) _symbols[AddText(ByteAlphabet.CharOf((byte)b).ToString())] = b;
        foreach (var (bytes, count) in pieces)
        {
            _pieces.Add(([.. bytes.Select(b => (int)b)], count));
            ChangePairs(_pieces.Count - 1, +1);
        }
    }

    /// <summary>Learns merges until there are so many new entries; fewer where no pair is left that comes twice.</summary>
    /// <returns>The rules, best first. Two of them may spell one entry.</returns>
    public IReadOnlyList<(string Left, string Right)> Learn(int newEntries)
    {
        var merges = new List<(string, string)>(newEntries);
        while (_texts.Count < 256 + newEntries && _pairCounts.Count > 0)
        {
            var best = Best();
            if (_pairCounts[best] < 2) break;
            var (left, right) = (_texts[best.Left], _texts[best.Right]);
            merges.Add((left, right));
            if (!_symbols.TryGetValue(left + right, out var merged))
            {
                merged = _texts.Count;
                _symbols[AddText(left + right)] = merged;
            }
            Replace(best, merged);
        }
        return merges;
    }

    private string AddText(string text)
    {
        _texts.Add(text);
        return text;
    }

    /// <summary>The most frequent pair; of equals the first by spelling, so that the result depends on the texts alone.</summary>
    private (int Left, int Right) Best()
    {
        var best = default((int Left, int Right));
        var bestCount = -1L;
        foreach (var (pair, count) in _pairCounts)
        {
            if (count < bestCount || (count == bestCount && Compare(pair, best) >= 0)) continue;
            (best, bestCount) = (pair, count);
        }
        return best;
    }

    private int Compare((int Left, int Right) a, (int Left, int Right) b)
    {
        var left = string.CompareOrdinal(_texts[a.Left], _texts[b.Left]);
        return left != 0 ? left : string.CompareOrdinal(_texts[a.Right], _texts[b.Right]);
    }

    private void Replace((int Left, int Right) pair, int merged)
    {
        foreach (var piece in _piecesOfPair[pair].ToArray())
        {
            ChangePairs(piece, -1);
            var symbols = _pieces[piece].Symbols;
            var kept = 0;
            for (var i = 0; i < symbols.Count; i++)
            {
                if (i + 1 < symbols.Count && symbols[i] == pair.Left && symbols[i + 1] == pair.Right)
                {
                    symbols[kept++] = merged;
                    i++;
                }
                else
                {
                    symbols[kept++] = symbols[i];
                }
            }
            symbols.RemoveRange(kept, symbols.Count - kept);
            ChangePairs(piece, +1);
        }
    }

    private void ChangePairs(int piece, int sign)
    {
        var (symbols, count) = _pieces[piece];
        for (var i = 0; i + 1 < symbols.Count; i++)
        {
            var pair = (symbols[i], symbols[i + 1]);
            var total = _pairCounts.GetValueOrDefault(pair) + sign * count;
            if (total <= 0)
            {
                _pairCounts.Remove(pair);
                _piecesOfPair.Remove(pair);
                continue;
            }
            _pairCounts[pair] = total;
            if (sign < 0) continue;
            if (!_piecesOfPair.TryGetValue(pair, out var pieces)) _piecesOfPair[pair] = pieces = [];
            pieces.Add(piece);
        }
    }
}
