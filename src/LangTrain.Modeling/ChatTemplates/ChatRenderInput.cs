using System.Text.Json;

namespace LangTrain.Modeling.ChatTemplates;

/// <summary>What a chat template is rendered with.</summary>
/// <param name="Messages">A JSON array of messages (<c>role</c>, <c>content</c>, …), handed to the template as it is.</param>
public sealed record ChatRenderInput(JsonElement Messages)
{
    /// <summary>A JSON array of tools; null for none.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>End with what makes the model answer.</summary>
    public bool AddGenerationPrompt { get; init; }

    /// <summary>More variables for the template (<c>enable_thinking</c>, <c>documents</c>, …). They come before the special tokens' own.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Variables { get; init; }
}
