using System.Text;

namespace LangTrain.Modeling.Tokenizers.Normalization;

internal enum UnicodeForm
{
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

/// <summary>The four normalization forms of Unicode Standard Annex 15.</summary>
/// <remarks>Own code because the product runs without ICU (invariant globalization), where <c>string.Normalize</c> changes nothing.</remarks>
internal static class UnicodeNormalizer
{
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7;
    private const int VowelCount = 21, TailCount = 28, SyllableCount = 19 * VowelCount * TailCount;

    public static string Normalize(string text, UnicodeForm form)
    {
        var compatible = form is UnicodeForm.Nfkc or UnicodeForm.Nfkd;
        var compose = form is UnicodeForm.Nfc or UnicodeForm.Nfkc;
        // Below these nothing decomposes or combines, so that most text is done after one vectorised look.
        var stable = compatible || !compose ? '\u007F' : '\u02FF';
        if (text.AsSpan().IndexOfAnyExceptInRange('\0', stable) < 0) return text;
        var tables = UnicodeTables.Instance;
        var points = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes()) Decompose(tables, rune.Value, compatible, points);
        Reorder(tables, points);
        var count = compose ? Compose(tables, points) : points.Count;
        var result = new StringBuilder(text.Length);
        Span<char> utf16 = stackalloc char[2];
        for (var i = 0; i < count; i++) result.Append(utf16[..new Rune(points[i]).EncodeToUtf16(utf16)]);
        return result.ToString();
    }

    private static void Decompose(UnicodeTables tables, int point, bool compatible, List<int> into)
    {
        if (point < 0xA0)
        {
            into.Add(point);
            return;
        }
        if ((uint)(point - HangulBase) < SyllableCount)
        {
            var index = point - HangulBase;
            into.Add(LeadBase + index / (VowelCount * TailCount));
            into.Add(VowelBase + index % (VowelCount * TailCount) / TailCount);
            if (index % TailCount != 0) into.Add(TailBase + index % TailCount);
            return;
        }
        if (tables.Canonical.TryGetValue(point, out var parts) || (compatible && tables.Compatible.TryGetValue(point, out parts)))
        {
            foreach (var part in parts) Decompose(tables, part, compatible, into);
            return;
        }
        into.Add(point);
    }

    /// <summary>Sorts each run of combining marks by class, stably.</summary>
    private static void Reorder(UnicodeTables tables, List<int> points)
    {
        for (var start = 0; start < points.Count; start++)
        {
            if (tables.ClassOf(points[start]) == 0) continue;
            var end = start + 1;
            while (end < points.Count && tables.ClassOf(points[end]) != 0) end++;
            if (end - start > 1)
            {
                // LINQ's sort is stable, and n log n for a hostile run of marks.
                var sorted = points.GetRange(start, end - start).OrderBy(tables.ClassOf).ToList();
                for (var i = 0; i < sorted.Count; i++) points[start + i] = sorted[i];
            }
            start = end;
        }
    }

    private static int Compose(UnicodeTables tables, List<int> points)
    {
        var count = 0;
        var starter = -1;
        var lastClass = -1; // class of the last mark kept behind the starter; -1: none
        for (var i = 0; i < points.Count; i++)
        {
            var point = points[i];
            var ownClass = tables.ClassOf(point);
            // A mark is blocked by one of its own class or higher in between, a starter by any mark in between.
            if (starter >= 0 && lastClass < ownClass && (lastClass < 0 || ownClass != 0) && Pair(tables, points[starter], point) is var joined and >= 0)
            {
                points[starter] = joined;
                continue;
            }
            if (ownClass == 0)
            {
                starter = count;
                lastClass = -1;
            }
            else
            {
                lastClass = ownClass;
            }
            points[count++] = point;
        }
        return count;
    }

    private static int Pair(UnicodeTables tables, int first, int second)
    {
        if ((uint)(first - LeadBase) < 19 && (uint)(second - VowelBase) < VowelCount) return HangulBase + ((first - LeadBase) * VowelCount + second - VowelBase) * TailCount;
        if ((uint)(first - HangulBase) < SyllableCount && (first - HangulBase) % TailCount == 0 && second - TailBase is > 0 and < TailCount) return first + second - TailBase;
        return tables.Composed.TryGetValue((first, second), out var composed) ? composed : -1;
    }
}
