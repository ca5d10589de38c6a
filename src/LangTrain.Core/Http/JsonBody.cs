using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using LangTrain.Core.Errors;

namespace LangTrain.Core.Http;

/// <summary>Reads the JSON body of a request: bounded in size and depth, and strict about what JSON leaves open.</summary>
/// <remarks>
/// Refused, with its place: a key that stands twice (parsers differ in which one counts), half a surrogate pair and bytes that are not UTF-8
/// (neither is text), NUL in text (storage and tokenizers end there), a number that no double can hold.
/// </remarks>
public static class JsonBody
{
    /// <summary>Largest body that is not an upload.</summary>
    public const int DefaultMaxBytes = 8 * 1024 * 1024;

    /// <summary>Deepest nesting.</summary>
    public const int MaxDepth = 64;

    /// <summary>Reads a body to its end as one JSON object.</summary>
    /// <param name="body">The body.</param>
    /// <param name="contentLength">As announced, or null; an announced length over the limit is refused before a byte is read.</param>
    /// <param name="maxBytes">Limit.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">413; or 400 with every problem found.</exception>
    public static async Task<RequestObject> ReadAsync(Stream body, long? contentLength, int maxBytes = DefaultMaxBytes, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        if (contentLength > maxBytes)
        {
            throw ApiErrors.TooLarge("The body", maxBytes);
        }

        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(contentLength ?? 4096, 1024), maxBytes) + 1);
        try
        {
            var length = 0;
            for (int read; (read = await body.ReadAsync(buffer.AsMemory(length), cancellation)) > 0;)
            {
                length += read;
                if (length > maxBytes)
                {
                    throw ApiErrors.TooLarge("The body", maxBytes);
                }

                if (length == buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min((long)buffer.Length * 2, maxBytes + 1L));
                    buffer.AsSpan(0, length).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
            }

            return Parse(buffer.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads one JSON object.</summary>
    /// <exception cref="ApiException">400 with every problem found.</exception>
    public static RequestObject Parse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.StartsWith("\uFEFF"u8))
        {
            utf8 = utf8[3..];
        }

        if (utf8.IsEmpty)
        {
            throw ApiErrors.Invalid("The body is empty; a JSON object is expected.", null, "invalid_json");
        }

        JsonElement root;
        try
        {
            root = JsonElement.Parse(utf8, new JsonDocumentOptions { MaxDepth = MaxDepth });
        }
        catch (JsonException e)
        {
            throw ApiErrors.Invalid($"The body is not valid JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.", null, "invalid_json");
        }

        var problems = new RequestProblems();
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw ApiErrors.Invalid($"The body must be a JSON object, not {RequestObject.NameOf(root)}.", null, "invalid_type");
        }

        Check(root, "", problems);
        problems.ThrowIfAny();
        return new RequestObject(root, "", problems);
    }

    private static void Check(JsonElement value, string path, RequestProblems problems)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                CheckObject(value, path, problems);
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in value.EnumerateArray())
                {
                    // Paths of plain numbers are not built: a prompt may be thousands of token ids.
                    Check(item, item.ValueKind == JsonValueKind.Number ? path : $"{path}[{index}]", problems);
                    index++;
                }

                break;
            case JsonValueKind.String when !IsText(JsonMarshal.GetRawUtf8Value(value), value.GetString):
                problems.Add(path, $"{Named(path)} holds half a surrogate pair, NUL, or bytes that are not UTF-8.", "invalid_string");
                break;
            case JsonValueKind.Number when !value.TryGetDouble(out var number) || !double.IsFinite(number):
                problems.Add(path, $"{Named(path)} holds a number that is too large.", "invalid_number");
                break;
        }
    }

    private static void CheckObject(JsonElement value, string path, RequestProblems problems)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in value.EnumerateObject())
        {
            if (!IsText(JsonMarshal.GetRawUtf8PropertyName(property), () => property.Name))
            {
                problems.Add(path, $"A key in {Named(path)} is not valid text.", "invalid_string");
                continue;
            }

            var inner = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
            if (!seen.Add(property.Name))
            {
                problems.Add(inner, $"{ApiErrors.Shorten(inner)} stands twice.", "duplicate_key");
            }

            Check(property.Value, inner, problems);
        }
    }

    private static bool IsText(ReadOnlySpan<byte> raw, Func<string?> decode)
    {
        if (raw.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) < 0 && !raw.Contains((byte)'\\'))
        {
            return true;
        }

        try
        {
            return !decode()!.Contains('\0', StringComparison.Ordinal);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static string Named(string path) => path.Length == 0 ? "The body" : ApiErrors.Shorten(path);
}
