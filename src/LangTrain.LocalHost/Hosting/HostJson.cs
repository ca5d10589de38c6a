using System.Globalization;
using System.Text.Json;
using LangTrain.LocalHost.Processes;

namespace LangTrain.LocalHost.Hosting;

/// <summary>What this host honours of host.json; defaults are those of Azure Functions v4.</summary>
internal sealed record HostJson
{
    /// <summary>Path before every route; empty for none.</summary>
    public string RoutePrefix { get; init; } = "api";

    /// <summary>Requests that may run at once; null for no limit.</summary>
    public int? MaxConcurrentRequests { get; init; }

    /// <summary>Requests that may run or wait; null for no limit.</summary>
    public int? MaxOutstandingRequests { get; init; }

    /// <summary>Messages taken from a queue at once.</summary>
    public int QueueBatchSize { get; init; } = 16;

    /// <summary>The next messages are taken once no more than this many are being handled.</summary>
    public int QueueNewBatchThreshold { get; init; } = 8;

    /// <summary>Longest wait between two looks at an empty queue.</summary>
    public TimeSpan QueueMaxPollingInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a message that failed stays out of sight.</summary>
    public TimeSpan QueueVisibilityTimeout { get; init; } = TimeSpan.Zero;

    /// <summary>Tries before a message goes to the poison queue.</summary>
    public int QueueMaxDequeueCount { get; init; } = 5;

    /// <summary>Whether message texts are Base64.</summary>
    public bool QueueBase64 { get; init; } = true;

    /// <summary>Name of the task hub; begins the names of its table and container.</summary>
    public string TaskHub { get; init; } = "TestHubName";

    /// <summary>Activities that may run at once.</summary>
    public int MaxConcurrentActivities { get; init; } = 10 * Environment.ProcessorCount;

    /// <summary>Orchestrator turns that may run at once.</summary>
    public int MaxConcurrentOrchestrators { get; init; } = 10 * Environment.ProcessorCount;

    /// <summary>Reads the file.</summary>
    /// <exception cref="StartFailedException">It is absent, or a value cannot be read; the message names it.</exception>
    public static HostJson Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(
                File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return FromRoot(document.RootElement);
        }
        catch (Exception failure) when (failure is IOException or JsonException or FormatException or InvalidOperationException)
        {
            throw new StartFailedException($"host.json cannot be read: {failure.Message}", failure);
        }
    }

    private static HostJson FromRoot(JsonElement root)
    {
        var none = new HostJson();
        var http = Section(root, "http");
        var queues = Section(root, "queues");
        var durable = Section(root, "durableTask");
        return new HostJson
        {
            RoutePrefix = (Text(http, "routePrefix") ?? none.RoutePrefix).Trim('/'),
            MaxConcurrentRequests = Limit(http, "maxConcurrentRequests"),
            MaxOutstandingRequests = Limit(http, "maxOutstandingRequests"),
            QueueBatchSize = Math.Clamp(Number(queues, "batchSize") ?? none.QueueBatchSize, 1, 32),
            QueueNewBatchThreshold = Number(queues, "newBatchThreshold") ?? (Number(queues, "batchSize") ?? none.QueueBatchSize) / 2,
            QueueMaxPollingInterval = Duration(queues, "maxPollingInterval") ?? none.QueueMaxPollingInterval,
            QueueVisibilityTimeout = Duration(queues, "visibilityTimeout") ?? none.QueueVisibilityTimeout,
            QueueMaxDequeueCount = Number(queues, "maxDequeueCount") ?? none.QueueMaxDequeueCount,
            QueueBase64 = !string.Equals(Text(queues, "messageEncoding"), "none", StringComparison.OrdinalIgnoreCase),
            TaskHub = Text(durable, "hubName") ?? none.TaskHub,
            MaxConcurrentActivities = Number(durable, "maxConcurrentActivityFunctions") ?? none.MaxConcurrentActivities,
            MaxConcurrentOrchestrators = Number(durable, "maxConcurrentOrchestratorFunctions") ?? none.MaxConcurrentOrchestrators,
        };
    }

    private static JsonElement Section(JsonElement root, string name) =>
        root.TryGetProperty("extensions", out var extensions) && extensions.TryGetProperty(name, out var section) ? section : default;

    private static JsonElement? Value(JsonElement section, string name) =>
        section.ValueKind == JsonValueKind.Object && section.TryGetProperty(name, out var value) ? value : null;

    private static string? Text(JsonElement section, string name) => Value(section, name)?.GetString();

    private static int? Number(JsonElement section, string name) => Value(section, name)?.GetInt32();

    private static int? Limit(JsonElement section, string name) => Number(section, name) is { } limit and > 0 ? limit : null;

    // A number is milliseconds and a string a time span, as in the real host.
    private static TimeSpan? Duration(JsonElement section, string name) => Value(section, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number => TimeSpan.FromMilliseconds(number.GetDouble()),
        var text => TimeSpan.Parse(text.Value.GetString()!, CultureInfo.InvariantCulture),
    };
}
