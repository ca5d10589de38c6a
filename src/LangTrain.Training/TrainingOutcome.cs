using System.Text.Json.Serialization;

namespace LangTrain.Training;

/// <summary>How a run ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TrainingOutcome>))]
public enum TrainingOutcome
{
    /// <summary>All steps were made, or early stopping ended them; the result is written.</summary>
    [JsonStringEnumMemberName("completed")]
    Completed,

    /// <summary>A pause was asked for; a checkpoint is written and a later run goes on from it.</summary>
    [JsonStringEnumMemberName("paused")]
    Paused,
}
