using LangTrain.Core.Http;

namespace LangTrain.Core.Batches;

/// <summary>A request of <c>POST /batches</c>, checked.</summary>
/// <param name="InputFileId">The file of requests.</param>
/// <param name="Endpoint">One of <see cref="Endpoints"/>.</param>
/// <param name="Metadata">The owner's own notes.</param>
/// <param name="OutputLifetime">How long the files of answers are kept; null is for ever.</param>
public sealed record BatchRequest(string InputFileId, string Endpoint, IReadOnlyDictionary<string, string> Metadata, TimeSpan? OutputLifetime)
{
    private const int MostNotes = 16, LongestNoteKey = 64, LongestNote = 512;

    /// <summary>Where lines may go.</summary>
    public static IReadOnlyList<string> Endpoints { get; } = ["/v1/chat/completions", "/v1/completions"];

    /// <summary>Reads a request.</summary>
    /// <exception cref="Errors.ApiException">400 with every problem.</exception>
    public static BatchRequest FromRequest(RequestObject request)
    {
        ArgumentNullException.ThrowIfNull(request);
        foreach (var key in (string[])["endpoint", "completion_window"])
        {
            if (!request.Has(key))
            {
                request.Missing(key);
            }
        }

        request.OneOf("completion_window", "24h");
        var read = new BatchRequest(
            request.RequireText("input_file_id", 256), request.OneOf("endpoint", Endpoints) ?? "", ReadMetadata(request), ReadLifetime(request));
        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        return read;
    }

    private static Dictionary<string, string> ReadMetadata(RequestObject request)
    {
        var notes = new Dictionary<string, string>(StringComparer.Ordinal);
        if (request.Object("metadata") is not { } given)
        {
            return notes;
        }

        foreach (var property in given.Element.EnumerateObject())
        {
            if (property.Name.Length > LongestNoteKey)
            {
                request.Problems.Add("metadata", $"Keys of metadata must have at most {LongestNoteKey} characters.");
            }
            else if (given.Text(property.Name, LongestNote) is { } text)
            {
                notes[property.Name] = text;
            }
        }

        if (notes.Count > MostNotes)
        {
            request.Problems.Add("metadata", $"metadata may have at most {MostNotes} entries, not {notes.Count}.");
        }

        return notes;
    }

    private static TimeSpan? ReadLifetime(RequestObject request)
    {
        if (request.Object("output_expires_after") is not { } wish)
        {
            return null;
        }

        wish.OneOf("anchor", "created_at");
        foreach (var key in (string[])["anchor", "seconds"])
        {
            if (!wish.Has(key))
            {
                wish.Missing(key);
            }
        }

        var seconds = wish.Integer("seconds", 3600, 2_592_000);
        wish.RefuseUnknownKeys();
        return seconds is { } lifetime ? TimeSpan.FromSeconds(lifetime) : null;
    }
}
