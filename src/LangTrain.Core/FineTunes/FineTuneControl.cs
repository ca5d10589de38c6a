using System.Text.Json.Serialization;

namespace LangTrain.Core.FineTunes;

/// <summary>What the owner asked for and nobody has done yet.</summary>
public enum FineTuneControl
{
    /// <summary>Nothing.</summary>
    [JsonStringEnumMemberName("none")] None,

    /// <summary>Stop for good.</summary>
    [JsonStringEnumMemberName("cancel")] Cancel,

    /// <summary>Stop with a checkpoint.</summary>
    [JsonStringEnumMemberName("pause")] Pause,

    /// <summary>Go on from the checkpoint.</summary>
    [JsonStringEnumMemberName("resume")] Resume,
}
