using System.Text;
using System.Text.Json;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Modeling.Tests.Tokenizers;

public sealed class SentencePieceModelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("langtrain-spm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The published tokenizer.json was made from such a file: an entry's score is the rank of the merges that make it.</summary>
    [Fact]
    public void A_model_file_gives_the_ids_of_its_tokenizer_json()
    {
        var shared = SharedFolder.Require("tokenizers", "llama-spm");
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(shared, "tokenizer.json")));
        var model = json.RootElement.GetProperty("model");
        var ranks = model.GetProperty("merges").EnumerateArray().Select((merge, rank) => (Text: merge.GetString()!.Replace(" ", ""), rank)).GroupBy(merge => merge.Text).ToDictionary(group => group.Key, group => group.Min(merge => merge.rank));
        var pieces = model.GetProperty("vocab").EnumerateObject().Select(entry => (entry.Name, Id: entry.Value.GetInt32())).OrderBy(piece => piece.Id);
        File.WriteAllBytes(Path.Combine(_folder, "tokenizer.model"), Model(
            pieces.Select(piece => (piece.Name, Score: -(float)ranks.GetValueOrDefault(piece.Name, 100_000), Type: piece.Id switch { 0 => 2, 1 or 2 => 3, < 259 => 6, _ => 1 })), modelType: 2));
        var tokenizer = Tokenizer.Load(_folder);
        foreach (var item in SharedFolder.Cases(shared))
        {
            Assert.Equal(item.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()), tokenizer.Encode(item.GetProperty("text").GetString()!, parseSpecialTokens: true));
        }
        Assert.True(tokenizer.IsSpecial(1));
    }

    [Fact]
    public void What_is_not_understood_is_named()
    {
        File.WriteAllBytes(Path.Combine(_folder, "tokenizer.model"), Model([("<unk>", 0f, 2), ("a", -1f, 1)], modelType: 1));
        Assert.Contains("model_type", Assert.Throws<UnsupportedTokenizerException>(() => Tokenizer.Load(_folder)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(Path.Combine(_folder, "tokenizer.model"), Model([("<unk>", 0f, 2), ("a", -1f, 1)], modelType: 2, [0xC0, 0x01, 1]));
        Assert.Contains("treat_whitespace_as_suffix", Assert.Throws<UnsupportedTokenizerException>(() => Tokenizer.Load(_folder)).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "tokenizer.model"), "version https://example.org/pointer\n");
        Assert.Throws<InvalidDataException>(() => Tokenizer.Load(_folder));
    }

    private static byte[] Model(IEnumerable<(string Text, float Score, int Type)> pieces, int modelType, byte[]? trainer = null)
    {
        using var stream = new MemoryStream();
        foreach (var (text, score, type) in pieces)
        {
            byte[] piece = [.. Message(1, Encoding.UTF8.GetBytes(text)), 0x15, .. BitConverter.GetBytes(score), 0x18, (byte)type];
            stream.Write(Message(1, piece));
        }
        stream.Write(Message(2, [0x18, (byte)modelType, 0x98, 0x02, 1, .. trainer ?? []])); // model_type, byte_fallback
        stream.Write(Message(3, [.. Message(1, "identity"u8.ToArray()), 0x18, 1, 0x20, 0])); // name, add_dummy_prefix, remove_extra_whitespaces
        return stream.ToArray();
    }

    private static byte[] Message(int field, byte[] content)
    {
        var result = new List<byte> { (byte)(field << 3 | 2) };
        var length = content.Length;
        for (; length >= 0x80; length >>= 7) result.Add((byte)(length | 0x80));
        result.Add((byte)length);
        return [.. result, .. content];
    }
}
