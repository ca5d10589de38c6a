using System.Text.Json;
using System.Text.Json.Serialization;
using LangTrain.Contracts.FineTunes;

namespace LangTrain.AzureAdapters.Blobs;

/// <summary>One line of a job's log: an event, and who wrote it; or the mark that the log goes on in the next blob.</summary>
internal sealed record EventLine
{
    /// <summary>Type of the line that ends a blob of the log.</summary>
    public const string SegmentEnd = "segment_end";

    public long Sequence { get; init; }

    public string JobId { get; init; } = "";

    public required string Type { get; init; }

    public DateTimeOffset Timestamp { get; init; }

    public string? Key { get; init; }

    public string? Message { get; init; }

    public string? Level { get; init; }

    public string? Status { get; init; }

    public JsonElement? Data { get; init; }

    /// <summary>Names the log object that wrote it, so that an append whose answer was lost is known again.</summary>
    public string? Writer { get; init; }

    [JsonIgnore]
    public bool IsSegmentEnd => Type == SegmentEnd;

    public static EventLine From(JobEvent e, string writer) => new()
    {
        Sequence = e.Sequence, JobId = e.JobId, Type = e.Type, Timestamp = e.Timestamp, Key = e.Key,
        Message = e.Message, Level = e.Level, Status = e.Status, Data = e.Data, Writer = writer,
    };

    public JobEvent ToEvent() => new()
    {
        Sequence = Sequence, JobId = JobId, Type = Type, Timestamp = Timestamp, Key = Key,
        Message = Message, Level = Level, Status = Status, Data = Data,
    };
}

/// <summary>How lines are written: snake_case, nulls left out, one line each.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EventLine))]
internal sealed partial class EventLineJson : JsonSerializerContext;
