namespace LangTrain.Worker.Models;

/// <summary>The files that a reader of a model needs besides configuration and weights: tokenizer, template, generation settings.</summary>
internal static class ModelCompanions
{
    private static readonly string[] Names =
    [
        "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json", "generation_config.json",
    ];

    /// <summary>Copies those that are there; nothing where <paramref name="from"/> is null.</summary>
    public static void Copy(string? from, string to)
    {
        foreach (var name in from is null ? [] : Names.Where(name => File.Exists(Path.Combine(from, name))))
        {
            File.Copy(Path.Combine(from!, name), Path.Combine(to, name), overwrite: true);
        }
    }
}
