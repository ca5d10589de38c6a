namespace LangTrain.Functions.Http;

/// <summary>Every route of the app with its methods, without the prefix. A test holds it against the function classes.</summary>
internal static class RouteCatalog
{
    /// <summary>Routes as in the function classes, and the methods that each knows.</summary>
    public static IReadOnlyList<(string Route, IReadOnlyList<string> Methods)> All { get; } =
    [
        ("health", ["GET"]),
        ("user/profile", ["GET"]),
        ("limits", ["GET"]),
        ("usage", ["GET"]),
        ("api-keys", ["GET", "POST"]),
        ("api-keys/{keyId}", ["DELETE"]),
        ("api-keys/{keyId}/rotate", ["POST"]),
        ("accounts", ["GET", "POST"]),
        ("accounts/{accountId}", ["GET", "PATCH"]),
        ("accounts/{accountId}/sign-in-link", ["POST"]),
        ("webhooks", ["GET", "POST"]),
        ("webhooks/{webhookId}", ["GET", "PATCH", "DELETE"]),
        ("webhooks/{webhookId}/rotate", ["POST"]),
        ("webhooks/{webhookId}/test", ["POST"]),
        ("webhooks/{webhookId}/deliveries", ["GET"]),
        ("dashboard-sessions", ["GET", "POST"]),
        ("dashboard-sessions/entra", ["POST"]),
        ("dashboard/{*path}", ["GET"]),
        ("models", ["GET", "POST"]),
        ("models/{*modelId}", ["GET", "POST", "DELETE"]),
        ("files", ["GET", "POST"]),
        ("files/{fileId}", ["GET", "DELETE"]),
        ("files/{fileId}/content", ["GET"]),
        ("files/{fileId}/validate", ["POST"]),
        ("files/{fileId}/preview", ["GET"]),
        ("uploads", ["POST"]),
        ("uploads/{uploadId}", ["GET"]),
        ("uploads/{uploadId}/parts", ["POST"]),
        ("uploads/{uploadId}/complete", ["POST"]),
        ("uploads/{uploadId}/cancel", ["POST"]),
        ("fine-tunes", ["GET", "POST"]),
        ("fine-tunes/{jobId}", ["GET", "DELETE"]),
        ("fine-tunes/{jobId}/cancel", ["POST"]),
        ("fine-tunes/{jobId}/pause", ["POST"]),
        ("fine-tunes/{jobId}/resume", ["POST"]),
        ("fine-tunes/{jobId}/events", ["GET"]),
        ("fine-tunes/{jobId}/metrics", ["GET"]),
        ("fine-tunes/{jobId}/checkpoints", ["GET"]),
        ("fine-tunes/{jobId}/logs", ["GET"]),
        ("fine-tunes/{jobId}/stream", ["GET"]),
        ("fine-tunes/{jobId}/stream/negotiate", ["POST"]),
        ("hubs/jobs/events", ["OPTIONS", "POST"]),
        ("completions", ["POST"]),
        ("batch/completions", ["POST"]),
        ("chat/completions", ["POST"]),
        ("tokenize", ["POST"]),
        ("detokenize", ["POST"]),
    ];

    /// <summary>The methods that a path knows; empty when there is no such path.</summary>
    /// <param name="path">Below the prefix, without a leading slash.</param>
    public static IReadOnlyList<string> MethodsOf(string path)
    {
        var parts = path.Trim('/').Split('/');
        return [.. All.Where(entry => Fits(entry.Route.Split('/'), parts)).SelectMany(entry => entry.Methods).Distinct()];
    }

    private static bool Fits(string[] route, string[] path)
    {
        for (var i = 0; i < route.Length; i++)
        {
            if (route[i].StartsWith("{*", StringComparison.Ordinal))
            {
                return path.Length > i;
            }

            if (i >= path.Length || !(route[i][0] == '{' ? path[i].Length > 0 : route[i].Equals(path[i], StringComparison.OrdinalIgnoreCase)))
            {
                return false;
            }
        }

        return path.Length == route.Length;
    }
}
