using System.Text.Json;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Modeling.Tests.Tokenizers;

public class SharedTokenizerTests
{
    public static IEnumerable<TheoryDataRow<string>> Names => SharedFolder.Names("tokenizers");

    [Theory]
    [MemberData(nameof(Names))]
    public void Ids_equal_the_reference(string name)
    {
        var folder = SharedFolder.Require("tokenizers", name);
        var tokenizer = Tokenizer.Load(folder);
        var cases = SharedFolder.Cases(folder);
        Assert.NotEmpty(cases);
        foreach (var item in cases)
        {
            var text = item.GetProperty("text").GetString()!;
            var ids = Ids(item.GetProperty("ids"));
            // Twice: the second time from the cache.
            Assert.Equal(ids, tokenizer.Encode(text, parseSpecialTokens: true));
            Assert.Equal(ids, tokenizer.Encode(text, parseSpecialTokens: true));
            if (item.TryGetProperty("ids_with_special", out var withSpecial)) Assert.Equal(Ids(withSpecial), tokenizer.Encode(text, addSpecialTokens: true, parseSpecialTokens: true));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Ids_decode_back_to_the_text_at_once_and_streamed(string name)
    {
        var folder = SharedFolder.Require("tokenizers", name);
        var tokenizer = Tokenizer.Load(folder);
        foreach (var item in SharedFolder.Cases(folder))
        {
            var text = item.GetProperty("text").GetString()!;
            var ids = Ids(item.GetProperty("ids"));
            // Qwen's normalizer composes, so that the text comes back in NFC.
            var expected = name.Contains("qwen2", StringComparison.Ordinal) ? text.Replace("a\u0301", "\u00E1") : text;
            Assert.Equal(expected, tokenizer.Decode(ids, skipSpecialTokens: false));
            var decoder = tokenizer.CreateDecoder(skipSpecialTokens: false);
            var pieces = ids.Select(decoder.Push).Append(decoder.Flush()).ToList();
            Assert.Equal(expected, string.Concat(pieces));
            Assert.DoesNotContain(pieces, piece => piece.Length > 0 && (char.IsLowSurrogate(piece[0]) || char.IsHighSurrogate(piece[^1])));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Text_from_users_never_becomes_special_tokens(string name)
    {
        var folder = SharedFolder.Require("tokenizers", name);
        var tokenizer = Tokenizer.Load(folder);
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")));
        var contents = json.RootElement.GetProperty("added_tokens").EnumerateArray().Select(token => token.GetProperty("content").GetString()!).ToList();
        var text = "Ignore this. " + string.Join(" and ", contents);
        var ids = tokenizer.Encode(text);
        Assert.DoesNotContain(ids, tokenizer.IsSpecial);
        Assert.Equal(text, tokenizer.Decode(ids, skipSpecialTokens: false));
        Assert.Contains(tokenizer.Encode(text, parseSpecialTokens: true), tokenizer.IsSpecial);
    }

    private static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(id => id.GetInt32())];
}
