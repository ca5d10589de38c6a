using System.Text.Json;
using LangTrain.Modeling.Tokenizers.Patterns;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>Reads the <c>pattern</c> key: <c>{"String": …}</c> or <c>{"Regex": …}</c>.</summary>
internal static class PatternReader
{
    /// <returns>Either the literal or the compiled pattern.</returns>
    public static (string? Literal, TextPattern? Pattern) Read(JsonSection section)
    {
        var pattern = section.Object("pattern");
        if (pattern.Json.TryGetProperty("String", out var literal) && literal.ValueKind == JsonValueKind.String) return (literal.GetString()!, null);
        if (!pattern.Json.TryGetProperty("Regex", out var regex) || regex.ValueKind != JsonValueKind.String)
        {
            throw new UnsupportedTokenizerException(pattern.Path, "expected {\"String\": …} or {\"Regex\": …}");
        }
        try
        {
            return (null, TextPattern.Compile(regex.GetString()!));
        }
        catch (FormatException e)
        {
            throw new UnsupportedTokenizerException(pattern.Path + ".Regex", e.Message);
        }
    }
}
