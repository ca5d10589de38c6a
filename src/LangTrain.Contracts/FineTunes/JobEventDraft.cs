using System.Text.Json;

namespace LangTrain.Contracts.FineTunes;

/// <summary>A <see cref="JobEvent"/> that has no place in the log yet.</summary>
public sealed record JobEventDraft
{
    /// <summary>Names the happening within its job; an event whose key is in the log already is not stored again.</summary>
    public required string Key { get; init; }

    /// <summary>One of <see cref="JobEventTypes"/>.</summary>
    public required string Type { get; init; }

    /// <summary>When it happened, UTC.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <inheritdoc cref="JobEvent.Message"/>
    public string? Message { get; init; }

    /// <inheritdoc cref="JobEvent.Level"/>
    public string? Level { get; init; }

    /// <inheritdoc cref="JobEvent.Status"/>
    public string? Status { get; init; }

    /// <inheritdoc cref="JobEvent.Data"/>
    public JsonElement? Data { get; init; }
}
