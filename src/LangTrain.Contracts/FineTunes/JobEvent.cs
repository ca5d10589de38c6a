using System.Text.Json;

namespace LangTrain.Contracts.FineTunes;

/// <summary>One event of a job, as it is stored in the job's log and sent to its owner: one JSON object with <c>type</c>.</summary>
/// <remarks>Within a job, <see cref="Sequence"/> counts from 1 without holes, and no two events have one <see cref="Key"/>.</remarks>
public sealed record JobEvent
{
    /// <summary>Place in the job's log, from 1.</summary>
    public required long Sequence { get; init; }

    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>One of <see cref="JobEventTypes"/>.</summary>
    public required string Type { get; init; }

    /// <summary>When it happened, UTC.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>Names the happening, so that telling it twice stores it once (<c>metrics-120</c>, <c>status-4</c>). Stored, not sent to clients.</summary>
    public string? Key { get; init; }

    /// <summary>Text of a <see cref="JobEventTypes.Log"/>; a sentence also on other types where one helps.</summary>
    public string? Message { get; init; }

    /// <summary><c>info</c>, <c>warning</c> or <c>error</c>, with <see cref="Message"/>.</summary>
    public string? Level { get; init; }

    /// <summary>New status, with <see cref="JobEventTypes.Status"/>.</summary>
    public string? Status { get; init; }

    /// <summary>Numbers and the like; an object, never with null or non-finite values.</summary>
    public JsonElement? Data { get; init; }
}
