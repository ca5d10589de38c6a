using System.Text.Json;
using System.Text.Json.Nodes;

namespace LangTrain.Modeling;

/// <summary>Parses the JSON files of a folder, which come from anywhere: what is no JSON is refused here, and what spells half a character, which no text can hold.</summary>
internal static class ModelJson
{
    /// <param name="json">UTF-8.</param>
    /// <param name="file">Its name, for the error.</param>
    /// <exception cref="InvalidDataException">It is not valid JSON.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json, string file) => Checked(json, file, () => JsonDocument.Parse(json));

    /// <inheritdoc cref="Parse(ReadOnlyMemory{byte}, string)"/>
    /// <remarks>A key that is there twice is an error too.</remarks>
    public static JsonNode? ParseNode(ReadOnlyMemory<byte> json, string file) =>
        Checked(json, file, () => JsonNode.Parse(json.Span, null, new JsonDocumentOptions { AllowDuplicateProperties = false }));

    private static T Checked<T>(ReadOnlyMemory<byte> json, string file, Func<T> parse)
    {
        try
        {
            T parsed = parse();
            return SpellsHalfACharacter(json.Span) ? throw new JsonException("a \\u escape is one half of a surrogate pair without the other.") : parsed;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException) // the second from a key of half a character
        {
            LfsPointer.Refuse(json.Span, file);
            throw new InvalidDataException($"{file} is not valid JSON: {error.Message}", error);
        }
    }

    /// <summary>Looks at the escapes of JSON that has been parsed: their digits are there.</summary>
    private static bool SpellsHalfACharacter(ReadOnlySpan<byte> json)
    {
        while (json.IndexOf((byte)'\\') is var at and >= 0)
        {
            json = json[at..];
            char half = Escape(json);
            if (char.IsLowSurrogate(half) || (char.IsHighSurrogate(half) && !char.IsLowSurrogate(Escape(json[6..]))))
            {
                return true;
            }

            json = json[(char.IsHighSurrogate(half) ? 12 : 2)..];
        }

        return false;
    }

    /// <returns>The UTF-16 unit that a \u escape at the start stands for; 0 where there is no such escape.</returns>
    private static char Escape(ReadOnlySpan<byte> json) =>
        json.StartsWith("\\u"u8) && ushort.TryParse(json[2..6], System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out ushort unit) ? (char)unit : '\0';
}
