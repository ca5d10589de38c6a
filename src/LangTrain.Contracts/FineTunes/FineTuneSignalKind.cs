using System.Text.Json.Serialization;

namespace LangTrain.Contracts.FineTunes;

/// <summary>What a <see cref="FineTuneSignal"/> says.</summary>
/// <remarks>As a word also where no source-generated context reads it: the Functions host binds queue messages by its own options.</remarks>
[JsonConverter(typeof(JsonStringEnumConverter<FineTuneSignalKind>))]
public enum FineTuneSignalKind
{
    /// <summary>The attempt trained, verified and stored its result.</summary>
    [JsonStringEnumMemberName("succeeded")]
    Succeeded,

    /// <summary>The attempt ended with an error.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>The worker stopped on a cancel request.</summary>
    [JsonStringEnumMemberName("cancelled")]
    Cancelled,

    /// <summary>The worker wrote a checkpoint and stopped on a pause request.</summary>
    [JsonStringEnumMemberName("paused")]
    Paused,

    /// <summary>The worker must go (SIGTERM): it wrote a checkpoint and gives the job back.</summary>
    [JsonStringEnumMemberName("released")]
    Released,

    /// <summary>The owner asked for cancel, pause or resume; which one stands on the row.</summary>
    [JsonStringEnumMemberName("control_requested")]
    ControlRequested,
}
