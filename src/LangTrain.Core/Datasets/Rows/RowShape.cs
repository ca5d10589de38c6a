using System.Text.Json;

namespace LangTrain.Core.Datasets.Rows;

/// <summary>One of the formats in which people have training rows: knows its rows, checks them, writes them in canonical form.</summary>
internal abstract class RowShape
{
    /// <summary>Name of the format, as reports say it.</summary>
    public abstract string Name { get; }

    /// <summary>Name of the canonical form of its rows: <c>chat</c>, <c>completion</c>, <c>text</c> or <c>preference</c>.</summary>
    public abstract string CanonicalName { get; }

    /// <summary>Keys of a row that mean something; others are left out, and the owner is told.</summary>
    public abstract IReadOnlySet<string> Keys { get; }

    /// <summary>Whether the row's keys are this format's.</summary>
    public abstract bool Matches(JsonElement row);

    /// <summary>Checks the row and writes it canonically. What was written counts only when no problem was added.</summary>
    public abstract void Write(JsonElement row, RowOutput output);

    /// <summary>All shapes; the first that matches is taken, so the more telling keys stand first (Alpaca sets often carry a <c>text</c> too).</summary>
    /// <param name="chatModel">Whether the model has a chat template: then instructions become messages, else a prompt in Alpaca's own words.</param>
    public static IReadOnlyList<RowShape> All(bool chatModel) =>
        [new ChatShape(), new ShareGptShape(), new PreferenceShape(), new PreferredOutputShape(), new AlpacaShape(chatModel), new CompletionShape(), new TextShape()];

    protected static bool Has(JsonElement row, string key) => row.TryGetProperty(key, out _);

    /// <summary>A text that must be there and not be blank; null (and a problem) otherwise.</summary>
    protected static string? RequireText(JsonElement row, string key, RowOutput output, string emptyMessage)
    {
        if (!row.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            output.Problem($"'{key}' is missing");
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            output.Problem($"'{key}' is {Describe(value)}; it must be text");
            return null;
        }

        var text = value.GetString()!;
        if (string.IsNullOrWhiteSpace(text))
        {
            output.Problem(emptyMessage);
            return null;
        }

        return text;
    }

    /// <summary>A text that may be absent, null or empty; null then.</summary>
    protected static string? OptionalText(JsonElement row, string key, RowOutput output)
    {
        if (!row.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            output.Problem($"'{key}' is {Describe(value)}; it must be text");
            return null;
        }

        var text = value.GetString()!;
        return text.Length == 0 ? null : text;
    }

    internal static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        JsonValueKind.Null => "null",
        _ => "text",
    };
}
