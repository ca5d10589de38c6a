using System.Buffers;
using System.Text.Json;

namespace LangTrain.Core.Batches;

/// <summary>One request of a batch, found well-formed.</summary>
/// <param name="Number">Its line in the input file, from 1.</param>
/// <param name="CustomId">The owner's name for it, once in a batch.</param>
/// <param name="Body">The request's JSON, UTF-8.</param>
internal sealed record BatchLine(long Number, string CustomId, ReadOnlyMemory<byte> Body)
{
    /// <summary>As it is stored.</summary>
    public byte[] ToStored() => LineJson.Write(writer =>
    {
        writer.WriteNumber("line", Number);
        writer.WriteString("custom_id", CustomId);
        writer.WritePropertyName("body");
        writer.WriteRawValue(Body.Span, skipInputValidation: true);
    });

    /// <summary>Reads what <see cref="ToStored"/> wrote.</summary>
    public static BatchLine FromStored(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        return new(root.GetProperty("line").GetInt64(), root.GetProperty("custom_id").GetString()!, LineJson.Raw(root.GetProperty("body")));
    }
}

/// <summary>What became of one request.</summary>
/// <param name="Number">Its line in the input file.</param>
/// <param name="IsGood">Whether it was answered with 200.</param>
/// <param name="InputTokens">Tokens of its prompt.</param>
/// <param name="OutputTokens">Tokens made.</param>
/// <param name="Output">Its line of the output or error file: JSON, UTF-8.</param>
internal sealed record BatchLineResult(long Number, bool IsGood, long InputTokens, long OutputTokens, ReadOnlyMemory<byte> Output)
{
    /// <summary>As it is stored.</summary>
    public byte[] ToStored() => LineJson.Write(writer =>
    {
        writer.WriteNumber("line", Number);
        writer.WriteBoolean("good", IsGood);
        writer.WriteNumber("input_tokens", InputTokens);
        writer.WriteNumber("output_tokens", OutputTokens);
        writer.WritePropertyName("output");
        writer.WriteRawValue(Output.Span, skipInputValidation: true);
    });

    /// <summary>Reads what <see cref="ToStored"/> wrote.</summary>
    public static BatchLineResult FromStored(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        return new(
            root.GetProperty("line").GetInt64(), root.GetProperty("good").GetBoolean(), root.GetProperty("input_tokens").GetInt64(),
            root.GetProperty("output_tokens").GetInt64(), LineJson.Raw(root.GetProperty("output")));
    }
}

/// <summary>Writes JSON objects that stand on one line.</summary>
internal static class LineJson
{
    private static readonly JsonWriterOptions Options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An object; what stands in it as raw JSON must have no line breaks.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> fields)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            fields(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A value's own JSON, UTF-8.</summary>
    public static byte[] Raw(JsonElement value) => System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(value).ToArray();
}
