using System.Text.Json;
using System.Text.Json.Nodes;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Modeling.Tests.Tokenizers;

/// <summary>Folders whose tokens are told of in several files, against Hugging Face transformers: Reference/make_tokenizer_cases.py.</summary>
public sealed class TokenizerFolderTests : IDisposable
{
    private static readonly JsonElement s_reference = Read();
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Folders => [.. s_reference.GetProperty("folders").EnumerateArray().Select(folder => folder.GetProperty("name").GetString()!)];

    public static TheoryData<string> Remade => [.. s_reference.GetProperty("remade").EnumerateArray().Select(folder => folder.GetProperty("name").GetString()!)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Folders))]
    public void Tokens_named_beside_a_vocabulary_are_what_they_are_in_transformers(string name)
    {
        JsonElement expected = Named("folders", name);
        Write(expected.GetProperty("base").GetString()!, expected.GetProperty("whole").GetBoolean());
        foreach (JsonProperty file in expected.GetProperty("files").EnumerateObject())
        {
            File.WriteAllText(_folder.File(file.Name), file.Value.GetRawText());
        }

        var tokenizer = Tokenizer.Load(_folder.Path);
        Assert.Equal(expected.GetProperty("size").GetInt32(), tokenizer.VocabularySize);
        Assert.Equal(Id(expected, "pad"), tokenizer.PadTokenId);
        if (Id(expected, "eos") is { } eos)
        {
            Assert.Equal(eos, tokenizer.EosTokenId);
        }

        foreach (JsonElement item in expected.GetProperty("cases").EnumerateArray())
        {
            string text = item[0].GetString()!;
            Assert.Equal(Ids(item[1]), tokenizer.Encode(text, parseSpecialTokens: true));
            Assert.Equal(Ids(item[2]), tokenizer.Encode(text, addSpecialTokens: true, parseSpecialTokens: true));
            Assert.DoesNotContain(tokenizer.Encode(text), tokenizer.IsSpecial);
        }

        // What stands for a missing tokenizer.json says all of it.
        var whole = Tokenizer.Parse(TokenizerFolder.WholeJson(_folder.Path, tokenizer));
        if (!expected.GetProperty("whole").GetBoolean())
        {
            Assert.All(expected.GetProperty("cases").EnumerateArray(), item => Assert.Equal(Ids(item[2]), whole.Encode(item[0].GetString()!, addSpecialTokens: true, parseSpecialTokens: true)));
        }
    }

    [Theory]
    [MemberData(nameof(Remade))]
    public void Other_normalizers_and_decoders_are_what_they_are_in_tokenizers(string name)
    {
        JsonElement expected = Named("remade", name);
        JsonObject json = Base("gpt2");
        foreach (string part in (string[])["normalizer", "pre_tokenizer", "decoder"])
        {
            json[part] = JsonNode.Parse(expected.GetProperty(part).GetRawText());
        }

        var tokenizer = Tokenizer.Parse(JsonSerializer.SerializeToUtf8Bytes(json));
        foreach (JsonElement item in expected.GetProperty("cases").EnumerateArray())
        {
            Assert.Equal(Ids(item[1]), tokenizer.Encode(item[0].GetString()!));
            Assert.Equal(item[2].GetString(), tokenizer.Decode(Ids(item[1])));
            TokenDecoder stream = tokenizer.CreateDecoder();
            Assert.Equal(item[2].GetString(), string.Concat(Ids(item[1]).Select(stream.Push).Append(stream.Flush())));
        }
    }

    [Theory]
    [InlineData("""{"tokenizer_class": "LlamaTokenizer"}""", "LlamaTokenizer")]
    [InlineData("""{"eos_token": "<|endoftext|>"}""", "known: GPT2Tokenizer, Qwen2Tokenizer")]
    public void A_vocabulary_whose_splitting_nobody_knows_is_refused_with_what_would_help(string config, string named)
    {
        Write("gpt2", whole: false);
        File.WriteAllText(_folder.File("tokenizer_config.json"), config);
        string message = Assert.Throws<UnsupportedTokenizerException>(() => Tokenizer.Load(_folder.Path)).Message;
        Assert.Contains(named, message, StringComparison.Ordinal);
        Assert.Contains("tokenizer.json", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_files_are_named()
    {
        Write("gpt2", whole: false);
        File.Delete(_folder.File("merges.txt"));
        Assert.Contains("merges.txt", Assert.Throws<FileNotFoundException>(() => Tokenizer.Load(_folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder.File("config.json"), """{"model_type": "gpt2"}""");
        File.WriteAllText(_folder.File("merges.txt"), "h e l\n");
        Assert.Equal("model.merges[0]", Assert.Throws<UnsupportedTokenizerException>(() => Tokenizer.Load(_folder.Path)).Key);
        File.WriteAllText(_folder.File("vocab.json"), "{");
        Assert.Contains("vocab.json", Assert.Throws<InvalidDataException>(() => Tokenizer.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_whose_id_would_be_anothers_is_refused()
    {
        JsonObject json = Base("llama3");
        JsonObject vocabulary = json["model"]!["vocab"]!.AsObject();
        vocabulary["hollow"] = vocabulary.Count + 1;
        File.WriteAllText(_folder.File("tokenizer.json"), json.ToJsonString());
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"eos_token": "<eot>"}""");
        Assert.Contains("'hollow'", Assert.Throws<UnsupportedTokenizerException>(() => Tokenizer.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    private void Write(string name, bool whole)
    {
        JsonObject json = Base(name);
        if (whole)
        {
            File.WriteAllText(_folder.File("tokenizer.json"), json.ToJsonString());
            return;
        }

        File.WriteAllText(_folder.File("vocab.json"), json["model"]!["vocab"]!.ToJsonString());
        File.WriteAllLines(_folder.File("merges.txt"), ["#version: 0.2", .. json["model"]!["merges"]!.AsArray().Select(merge => $"{merge![0]} {merge[1]}")]);
    }

    private static JsonObject Base(string name) => JsonNode.Parse(s_reference.GetProperty("bases").GetProperty(name).GetRawText())!.AsObject();

    private static JsonElement Named(string list, string name) => s_reference.GetProperty(list).EnumerateArray().Single(item => item.GetProperty("name").GetString() == name);

    private static int? Id(JsonElement item, string key) => item.GetProperty(key) is { ValueKind: JsonValueKind.Number } id ? id.GetInt32() : null;

    private static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(id => id.GetInt32())];

    private static JsonElement Read()
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Reference", "tokenizers", "folders.json")));
        return json.RootElement.Clone();
    }
}
