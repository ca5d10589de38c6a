using System.Text.Json.Serialization;

namespace LangTrain.Training.Data;

/// <summary>What becomes of a row with more tokens than a sequence may have.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LongRowPolicy>))]
public enum LongRowPolicy
{
    /// <summary>Its end is cut off; a text row becomes several examples instead. A row whose answer is cut off whole is left out.</summary>
    [JsonStringEnumMemberName("truncate")]
    Truncate,

    /// <summary>It is left out.</summary>
    [JsonStringEnumMemberName("drop")]
    Drop,

    /// <summary>It ends the run.</summary>
    [JsonStringEnumMemberName("error")]
    Error,
}
