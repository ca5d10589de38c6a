using System.Text.Json;
using LangTrain.Core.Errors;
using LangTrain.Core.Http;

namespace LangTrain.Core.Generation;

/// <summary>A prompt: text or token ids, exactly one; or why it is neither.</summary>
/// <param name="Text">Text.</param>
/// <param name="Ids">Token ids.</param>
/// <param name="Problem">What is wrong with it; used in batches, where a bad prompt fails alone.</param>
public sealed record PromptText(string? Text, IReadOnlyList<int>? Ids, ApiProblem? Problem = null)
{
    /// <summary>Most prompts of one request.</summary>
    public const int MostPrompts = 256;

    private const string OnePrompt = """{"type":"string"},{"type":"array","minItems":1,"items":{"type":"integer","minimum":0}}""";

    /// <summary>Reads <c>prompt</c>: a text, texts, token ids, or lists of token ids.</summary>
    public static IReadOnlyList<PromptText> FromRequest(RequestObject request, string key)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.Takes(key, $$"""{"anyOf":[{{OnePrompt}},{"type":"array","minItems":1,"maxItems":{{MostPrompts}},"items":{"anyOf":[{{OnePrompt}}]} }]}""");
        if (request.Find(key) is not { } value)
        {
            request.Missing(key);
            return [];
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            return [new PromptText(value.GetString(), null)];
        }

        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
        {
            var given = value.ValueKind == JsonValueKind.Array ? "an empty array" : RequestObject.NameOf(value);
            request.Problems.Add(key, $"{key} must be a string, an array of strings, or an array of token ids, not {given}.", "invalid_type");
            return [];
        }

        if (value[0].ValueKind == JsonValueKind.Number)
        {
            var one = FromElement(value, key);
            Note(request, one);
            return [one];
        }

        return FromArray(request, key, value, alone: false);
    }

    /// <summary>Reads <c>prompts</c>: a bad one carries its problem and leaves the others alone.</summary>
    public static IReadOnlyList<PromptText> ManyFromRequest(RequestObject request, string key)
    {
        ArgumentNullException.ThrowIfNull(request);
        // A bad prompt is told on its own choice, but it is bad all the same.
        request.Takes(key, $$"""{"type":"array","minItems":1,"maxItems":{{MostPrompts}},"items":{"anyOf":[{{OnePrompt}}]} }""");
        if (!request.Has(key))
        {
            request.Missing(key);
            return [];
        }

        return request.Items(key, MostPrompts, 1) is null ? [] : FromArray(request, key, request.Find(key)!.Value, alone: true);
    }

    private static List<PromptText> FromArray(RequestObject request, string key, JsonElement array, bool alone)
    {
        if (array.GetArrayLength() > MostPrompts)
        {
            request.Problems.Add(key, $"{key} may hold at most {MostPrompts} prompts, not {array.GetArrayLength()}.");
            return [];
        }

        var prompts = new List<PromptText>();
        foreach (var item in array.EnumerateArray())
        {
            var prompt = FromElement(item, $"{key}[{prompts.Count}]");
            prompts.Add(prompt);
            if (!alone)
            {
                Note(request, prompt);
            }
        }

        return prompts;
    }

    private static PromptText FromElement(JsonElement value, string path)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return new PromptText(value.GetString(), null);
            case JsonValueKind.Array when value.GetArrayLength() > 0:
                var ids = new List<int>(value.GetArrayLength());
                foreach (var item in value.EnumerateArray())
                {
                    if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out var id) || id < 0)
                    {
                        return Bad(path, $"{path} must hold token ids, whole numbers from 0, only.");
                    }

                    ids.Add(id);
                }

                return new PromptText(null, ids);
            default:
                return Bad(path, $"{path} must be a string or an array of token ids, not {RequestObject.NameOf(value)}.");
        }
    }

    private static PromptText Bad(string path, string message) => new(null, null, new ApiProblem(message, "invalid_type", path));

    private static void Note(RequestObject request, PromptText prompt)
    {
        if (prompt.Problem is { } problem)
        {
            request.Problems.Add(problem.Param!, problem.Message, problem.Code);
        }
    }
}
