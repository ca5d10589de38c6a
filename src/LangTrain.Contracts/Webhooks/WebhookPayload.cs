using System.Text.Json;
using LangTrain.Contracts.FineTunes;

namespace LangTrain.Contracts.Webhooks;

/// <summary>Body of a webhook's call, as Standard Webhooks has it.</summary>
/// <param name="Type">The event.</param>
/// <param name="Timestamp">When it happened, UTC.</param>
/// <param name="Data">What it is about; see <see cref="FineTuneEventData"/>.</param>
public sealed record WebhookPayload(string Type, DateTimeOffset Timestamp, JsonElement Data);

/// <summary>Data of the <c>fine_tune.…</c> events.</summary>
public sealed record FineTuneEventData
{
    /// <summary><c>ftjob-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Always <c>fine_tune</c>.</summary>
    public string Object { get; init; } = "fine_tune";

    /// <summary>Name that the owner gave.</summary>
    public string? Name { get; init; }

    /// <summary>The model that was trained.</summary>
    public required string ModelId { get; init; }

    /// <summary><c>completed</c>, <c>failed</c> or <c>cancelled</c>.</summary>
    public required string Status { get; init; }

    /// <summary>The model that was made, when completed.</summary>
    public string? FineTunedModel { get; init; }

    /// <summary>Why it failed, when failed.</summary>
    public JobError? Error { get; init; }

    /// <summary>Tokens trained.</summary>
    public long TrainedTokens { get; init; }

    /// <summary>The owner's notes.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Seconds since 1970.</summary>
    public long CreatedAt { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public long? FinishedAt { get; init; }
}
