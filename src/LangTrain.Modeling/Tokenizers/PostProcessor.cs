using System.Text.Json;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>The special tokens that belong around a text of its own (<c>&lt;s&gt; …</c>); immutable.</summary>
internal sealed record PostProcessor(IReadOnlyList<int> Before, IReadOnlyList<int> Behind)
{
    public static PostProcessor None { get; } = new([], []);

    /// <summary>Reads the <c>post_processor</c> section.</summary>
    /// <exception cref="UnsupportedTokenizerException">A type or a key is not understood.</exception>
    public static PostProcessor FromJson(JsonElement json, string path)
    {
        if (json.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return None;
        var section = new JsonSection(json, path);
        switch (section.Type)
        {
            case "Sequence":
                section.Allow("processors");
                var result = None;
                foreach (var (item, itemPath) in section.Items("processors"))
                {
                    var next = FromJson(item, itemPath);
                    result = new PostProcessor([.. next.Before, .. result.Before], [.. result.Behind, .. next.Behind]);
                }
                return result;
            case "ByteLevel":
                // Moves offsets only; ids stay as they are.
                section.Allow("add_prefix_space", "trim_offsets", "use_regex");
                return None;
            case "TemplateProcessing":
                section.Allow("single", "pair", "special_tokens");
                return FromTemplate(section);
            case "RobertaProcessing" or "BertProcessing":
                section.Allow("sep", "cls", "trim_offsets", "add_prefix_space");
                return new PostProcessor([PairId(section, "cls")], [PairId(section, "sep")]);
            default:
                throw section.UnknownType("Sequence, ByteLevel, TemplateProcessing, RobertaProcessing, BertProcessing");
        }
    }

    private static PostProcessor FromTemplate(JsonSection section)
    {
        var special = section.Object("special_tokens");
        List<int> before = [], behind = [];
        var seen = false;
        foreach (var (json, path) in section.Items("single"))
        {
            var piece = new JsonSection(json, path);
            if (json.TryGetProperty("Sequence", out _))
            {
                if (seen) throw new UnsupportedTokenizerException(path, "the text stands twice in the template");
                seen = true;
                continue;
            }
            var name = piece.Object("SpecialToken").String("id");
            var ids = special.Object(name);
            foreach (var (id, idPath) in ids.Items("ids"))
            {
                (seen ? behind : before).Add(id.TryGetInt32(out var value) ? value : throw new UnsupportedTokenizerException(idPath, "expected a whole number"));
            }
        }
        return new PostProcessor(before, behind);
    }

    private static int PairId(JsonSection section, string key)
    {
        var (id, path) = section.Items(key).ElementAtOrDefault(1);
        return id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out var value) ? value : throw new UnsupportedTokenizerException(path ?? $"{section.Path}.{key}", "expected [token, id]");
    }
}
