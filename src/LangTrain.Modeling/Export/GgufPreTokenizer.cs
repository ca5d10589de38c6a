using System.Text.Json;

namespace LangTrain.Modeling;

/// <summary>llama.cpp knows how byte-level tokenizers split text by name only: the name whose splitting is the tokenizer's own.</summary>
/// <remarks>Names and patterns as llama.cpp's src/llama-vocab.cpp has them; what has no name there is refused, never approximated.</remarks>
internal static class GgufPreTokenizer
{
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Words = @"[^\r\n\p{L}\p{N}]?\p{L}+", Rest = @" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", RestWithSlash = @" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string LowerLast = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+", UpperFirst = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*";

    /// <summary>Splits in order ("digits" is every digit alone), whether a whole piece that is an entry stays whole, and the name.</summary>
    private static readonly (string[] Splits, bool KeepsWhole, string Name)[] s_known =
    [
        ([Gpt2], false, "gpt-2"),
        (["digits", Gpt2], false, "starcoder"),
        ([$@"{Contractions}|{Words}|\p{{N}}{{1,3}}|{Rest}"], true, "llama-bpe"),
        ([$@"{Contractions}|{Words}|\p{{N}}{{1,3}}|{Rest}"], false, "smaug-bpe"),
        ([$@"{Contractions}|{Words}|\p{{N}}|{Rest}"], false, "qwen2"),
        ([$@"{LowerLast}{Contractions}?|{UpperFirst}{Contractions}?|\p{{N}}{{1,3}}|{RestWithSlash}"], false, "gpt-4o"),
        ([$@"{LowerLast}|{UpperFirst}|\p{{N}}|{RestWithSlash}"], true, "tekken"),
    ];

    /// <exception cref="UnsupportedModelException">llama.cpp has no name for this splitting that is known here.</exception>
    public static string Name(JsonElement root, JsonElement model)
    {
        bool keepsWhole = model.TryGetProperty("ignore_merges", out JsonElement flag) && flag.ValueKind == JsonValueKind.True;
        List<string> splits = [];
        Add(root.GetProperty("pre_tokenizer"), splits);
        foreach ((string[] known, bool whole, string name) in s_known)
        {
            if (whole == keepsWhole && known.SequenceEqual(splits))
            {
                return name;
            }
        }

        throw No(keepsWhole ? "this splitting together with ignore_merges" : "this splitting");
    }

    private static void Add(JsonElement json, List<string> splits)
    {
        bool Is(string key, bool otherwise) => json.TryGetProperty(key, out JsonElement value) ? value.ValueKind == JsonValueKind.True : otherwise;
        switch (json.GetProperty("type").GetString())
        {
            case "Sequence":
                foreach (JsonElement item in json.GetProperty("pretokenizers").EnumerateArray())
                {
                    Add(item, splits);
                }

                break;
            case "Split" when json.GetProperty("pattern").TryGetProperty("Regex", out JsonElement pattern) && json.GetProperty("behavior").GetString() == "Isolated" && !Is("invert", false):
                splits.Add(pattern.GetString()!);
                break;
            // A split that removes what lies between its matches where every character is in one is the same.
            case "Split" when json.GetProperty("pattern").TryGetProperty("Regex", out JsonElement pattern) && json.GetProperty("behavior").GetString() == "Removed" && Is("invert", false):
                splits.Add(pattern.GetString()!);
                break;
            case "Digits" when Is("individual_digits", false):
                splits.Add("digits");
                break;
            case "ByteLevel" when !Is("add_prefix_space", true):
                if (Is("use_regex", true))
                {
                    splits.Add(Gpt2);
                }

                break;
            case string other:
                throw No(other == "ByteLevel" ? "a space put before every text" : $"{other} with these settings");
        }
    }

    private static UnsupportedModelException No(string what) => new(null, $"This tokenizer cannot be exported as GGUF: llama.cpp has no name for {what}. It has for the splitting of GPT-2, StarCoder, Llama 3, Qwen 2, GPT-4o (Phi-4-mini) and Mistral Nemo.");
}
