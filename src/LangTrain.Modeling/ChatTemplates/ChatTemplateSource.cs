using System.Text.Json;

namespace LangTrain.Modeling.ChatTemplates;

/// <summary>The template texts of a model's folder, as published: one file of its own, or a key of tokenizer_config.json.</summary>
/// <param name="Default">For chats.</param>
/// <param name="ToolUse">For chats with tools, where the model has an own one.</param>
internal sealed record ChatTemplateSource(string Default, string? ToolUse)
{
    /// <returns>Null where the model has no template.</returns>
    /// <exception cref="InvalidDataException">A file is there and cannot be understood.</exception>
    public static ChatTemplateSource? Read(string folder)
    {
        var file = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(file))
        {
            var toolUse = Path.Combine(folder, "additional_chat_templates", "tool_use.jinja");
            return new ChatTemplateSource(File.ReadAllText(file), File.Exists(toolUse) ? File.ReadAllText(toolUse) : null);
        }
        return FromKey(Path.Combine(folder, "tokenizer_config.json")) ?? FromKey(Path.Combine(folder, "chat_template.json"));
    }

    private static ChatTemplateSource? FromKey(string path)
    {
        if (!File.Exists(path)) return null;
        using var json = ModelJson.Parse(File.ReadAllBytes(path), Path.GetFileName(path));
        if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("chat_template", out var template)) return null;
        return template.ValueKind switch
        {
            JsonValueKind.String => new ChatTemplateSource(template.GetString()!, null),
            JsonValueKind.Array => FromNamed(template, path),
            JsonValueKind.Null => null,
            _ => throw new InvalidDataException($"{Path.GetFileName(path)}: chat_template is neither a text nor a list of named texts."),
        };
    }

    private static ChatTemplateSource? FromNamed(JsonElement list, string path)
    {
        var named = new Dictionary<string, string>();
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("name", out var name) || !item.TryGetProperty("template", out var text)
                || name.ValueKind != JsonValueKind.String || text.ValueKind != JsonValueKind.String)
            {
                throw new InvalidDataException($"{Path.GetFileName(path)}: an entry of chat_template has no name or no template.");
            }
            named[name.GetString()!] = text.GetString()!;
        }
        var found = named.GetValueOrDefault("default") ?? named.Values.FirstOrDefault();
        return found is null ? null : new ChatTemplateSource(found, named.GetValueOrDefault("tool_use"));
    }
}
