using LangTrain.Modeling.Tokenizers.BytePair;

namespace LangTrain.Modeling.Tests.Tokenizers;

public class BytePairModelTests
{
    [Theory]
    [InlineData(true, false)] // unknown characters in a row are one token
    [InlineData(false, false)]
    [InlineData(false, true)] // and a whole piece may be an entry
    public void Words_cut_at_borders_and_remembered_are_what_the_rules_make_of_the_whole_text(bool fuseUnknown, bool ignoreMerges)
    {
        var random = new Random(7);
        for (var round = 0; round < 60; round++)
        {
            var ids = new Dictionary<string, int> { ["<unk>"] = 0 };
            foreach (var c in "abc\u25811\u00E9.") ids[c.ToString()] = ids.Count;
            var merges = new List<(int Left, int Right, int Merged)>();
            for (var i = 0; i < 12; i++)
            {
                var entries = ids.Keys.Where(entry => entry.Length < 5).ToList();
                var (left, right) = (entries[random.Next(1, entries.Count)], entries[random.Next(1, entries.Count)]);
                ids.TryAdd(left + right, ids.Count);
                merges.Add((ids[left], ids[right], ids[left + right]));
            }
            var model = new BytePairModel(new BytePairVocabulary(ids), merges, new BytePairOptions(ByteLevel: false, ByteFallback: false, ignoreMerges, "<unk>", fuseUnknown));
            var cache = new PieceCache();
            for (var i = 0; i < 200; i++)
            {
                // z and the last two are not in the vocabulary.
                var text = string.Concat(Enumerable.Range(0, random.Next(1, i % 10 == 0 ? 60 : 12)).Select(_ => "abcaab\u2581\u25811\u00E9.z!\u00FC"[random.Next(14)]));
                var found = new List<int>();
                model.Encode(text, found, cache);
                Assert.Equal(Reference(text, ids, merges, fuseUnknown, ignoreMerges), found);
            }
        }
    }

    [Fact]
    public void The_cache_gives_what_was_put_into_it_or_nothing()
    {
        var cache = new PieceCache();
        var hits = 0;
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 20_000; i++)
            {
                var piece = new string((char)('a' + i % 26), 1 + i % PieceCache.MaxPieceLength)[..^Math.Min(i % PieceCache.MaxPieceLength, 5)] + i.ToString("x5", null)[..Math.Min(i % PieceCache.MaxPieceLength, 5)];
                var found = cache.Find(piece, out var place);
                if (found.IsEmpty)
                {
                    cache.Put(place, piece, Ids(piece));
                    continue;
                }
                hits++;
                Assert.Equal(Ids(piece), found);
            }
        }
        Assert.InRange(hits, 5_000, 40_000);
    }

    private static int[] Ids(string piece) => [.. piece.Take(15).Select(c => (int)c), .. new int[piece.Length > 15 ? 0 : 15 - piece.Length]];

    /// <summary>Byte pair encoding by its definition, over the whole text.</summary>
    private static List<int> Reference(string text, Dictionary<string, int> ids, List<(int Left, int Right, int Merged)> merges, bool fuseUnknown, bool ignoreMerges)
    {
        if (ignoreMerges && ids.TryGetValue(text, out var whole)) return [whole];
        var symbols = new List<int>();
        for (var i = 0; i < text.Length; i++)
        {
            var id = ids.GetValueOrDefault(text[i].ToString());
            if (id == 0 && fuseUnknown && i > 0 && !ids.ContainsKey(text[i - 1].ToString())) continue;
            symbols.Add(id);
        }
        while (symbols.Count > 1)
        {
            var best = Enumerable.Range(0, symbols.Count - 1).MinBy(i => Rank(merges, symbols[i], symbols[i + 1]));
            var rank = Rank(merges, symbols[best], symbols[best + 1]);
            if (rank == int.MaxValue) break;
            symbols[best] = merges[rank].Merged;
            symbols.RemoveAt(best + 1);
        }
        return symbols;
    }

    // A rule given twice counts where it stands last.
    private static int Rank(List<(int Left, int Right, int Merged)> merges, int left, int right) =>
        merges.FindLastIndex(merge => merge.Left == left && merge.Right == right) is var rank and >= 0 ? rank : int.MaxValue;
}
