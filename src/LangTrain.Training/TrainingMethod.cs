using System.Text.Json.Serialization;

namespace LangTrain.Training;

/// <summary>Which weights a fine-tune changes (<c>config.method</c>).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TrainingMethod>))]
public enum TrainingMethod
{
    /// <summary>Low-rank adapters over a frozen base model (arXiv:2106.09685).</summary>
    [JsonStringEnumMemberName("lora")]
    Lora,

    /// <summary>Low-rank adapters over a base model held in 4-bit NF4 (arXiv:2305.14314).</summary>
    [JsonStringEnumMemberName("qlora")]
    QLora,

    /// <summary>Every weight of the model.</summary>
    [JsonStringEnumMemberName("full")]
    Full,
}
