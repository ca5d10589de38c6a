using LangTrain.Core.FineTunes;
using LangTrain.Core.Http;

namespace LangTrain.Core.Batches;

/// <summary>A request of <c>POST /batches</c>, checked.</summary>
/// <param name="InputFileId">The file of requests.</param>
/// <param name="Endpoint">One of <see cref="Endpoints"/>.</param>
/// <param name="Metadata">The owner's own notes.</param>
/// <param name="OutputLifetime">How long the files of answers are kept; null is for ever.</param>
public sealed record BatchRequest(string InputFileId, string Endpoint, IReadOnlyDictionary<string, string> Metadata, TimeSpan? OutputLifetime)
{
    /// <summary>Where lines may go.</summary>
    public static IReadOnlyList<string> Endpoints { get; } = ["/v1/chat/completions", "/v1/completions"];

    /// <summary>Reads a request.</summary>
    /// <exception cref="Errors.ApiException">400 with every problem.</exception>
    /// <param name="request">The body.</param>
    /// <param name="needsWindow">Whether <c>completion_window</c> must be there; the together-ai client leaves it out.</param>
    public static BatchRequest FromRequest(RequestObject request, bool needsWindow = true)
    {
        ArgumentNullException.ThrowIfNull(request);
        foreach (var key in (string[])["endpoint", "completion_window"])
        {
            if (!request.Has(key) && (needsWindow || key == "endpoint"))
            {
                request.Missing(key);
            }
        }

        request.OneOf("completion_window", "24h");
        var read = new BatchRequest(
            request.RequireText("input_file_id", 256), request.OneOf("endpoint", Endpoints) ?? "", FineTuneRequest.ReadMetadata(request), ReadLifetime(request));
        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        return read;
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
