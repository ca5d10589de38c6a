using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LangTrain.Training.Data;

/// <summary>Says what a folder of tokens was made from, and what is in it; written last.</summary>
/// <param name="Source">Hash over the rows, the tokenizer, the template and the options.</param>
/// <param name="ContentHash">SHA-256 over all tokens and masks.</param>
/// <param name="Shape">Shape of the rows.</param>
/// <param name="Statistics">What tokenizing found.</param>
internal sealed record TokenizedFileManifest(string Source, string ContentHash, RowShape Shape, LengthStatistics Statistics)
{
    // Raised when the same rows would give other tokens or another layout.
    private const int FormatVersion = 2;

    /// <summary>Null where there is no manifest, or none that can be read: then the tokens are made anew.</summary>
    public static TokenizedFileManifest? Read(string folder)
    {
        var path = Path.Combine(folder, TokenizedFile.ManifestName);
        if (!File.Exists(path)) return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), TokenizedFileJson.Default.TokenizedFileManifest);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes it at once or not at all.</summary>
    public void Write(string folder)
    {
        var path = Path.Combine(folder, TokenizedFile.ManifestName);
        File.WriteAllBytes(path + ".tmp", JsonSerializer.SerializeToUtf8Bytes(this, TokenizedFileJson.Default.TokenizedFileManifest));
        File.Move(path + ".tmp", path, overwrite: true);
    }

    public static string SourceOf(string path, string modelFolder, TokenizingOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{FormatVersion} {options.MaxSequenceLength} {options.LongRows} {options.LossOn}")));
        foreach (var (name, file) in (ReadOnlySpan<(string, string)>)[("rows", path), .. ModelFiles(modelFolder)])
        {
            using var stream = File.OpenRead(file);
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(name));
            hash.AppendData(SHA256.HashData(stream));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Everything that tokenizer and chat template are read from.</summary>
    private static IEnumerable<(string Name, string Path)> ModelFiles(string folder) =>
        ((string[])["tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json", "additional_chat_templates/tool_use.jinja"])
            .Select(name => (name, Path.Combine(folder, name))).Where(file => File.Exists(file.Item2));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TokenizedFileManifest))]
internal sealed partial class TokenizedFileJson : JsonSerializerContext;
