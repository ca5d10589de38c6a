using System.Text.Json.Serialization;

namespace LangTrain.Core.FineTunes;

/// <summary>Where a fine-tune stands; which moves there are says <see cref="FineTuneStateMachine"/>.</summary>
public enum FineTuneStatus
{
    /// <summary>The row is written; its orchestration starts.</summary>
    [JsonStringEnumMemberName("created")] Created,

    /// <summary>The dataset is fetched and checked.</summary>
    [JsonStringEnumMemberName("validating")] Validating,

    /// <summary>Waits for a worker.</summary>
    [JsonStringEnumMemberName("queued")] Queued,

    /// <summary>A worker holds the lease.</summary>
    [JsonStringEnumMemberName("running")] Running,

    /// <summary>Stopped on the owner's wish, with a checkpoint.</summary>
    [JsonStringEnumMemberName("paused")] Paused,

    /// <summary>Ended well.</summary>
    [JsonStringEnumMemberName("completed")] Completed,

    /// <summary>Ended with an error.</summary>
    [JsonStringEnumMemberName("failed")] Failed,

    /// <summary>Ended on the owner's wish.</summary>
    [JsonStringEnumMemberName("cancelled")] Cancelled,
}
