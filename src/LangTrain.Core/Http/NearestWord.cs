namespace LangTrain.Core.Http;

/// <summary>Finds the known word that a misspelt one most likely stands for.</summary>
public static class NearestWord
{
    /// <summary>The word at the least edit distance, if that is at most a third of the length (and at least 1); null otherwise.</summary>
    public static string? Find(string word, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(known);
        if (word.Length is 0 or > 64)
        {
            return null;
        }

        var best = known.Select(candidate => (candidate, distance: Distance(Plain(word), Plain(candidate)))).OrderBy(pair => pair.distance)
            .ThenBy(pair => pair.candidate, StringComparer.Ordinal).FirstOrDefault();
        return best.candidate is not null && best.distance <= Math.Max(1, word.Length / 3) ? best.candidate : null;
    }

    // lora-config, loraConfig and lora_config are one word to the one who mistypes it.
    private static string Plain(string word) => word.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToUpperInvariant();

    private static int Distance(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
