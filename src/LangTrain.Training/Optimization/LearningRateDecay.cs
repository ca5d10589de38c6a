using System.Text.Json.Serialization;

namespace LangTrain.Training.Optimization;

/// <summary>How the learning rate goes down after the warmup (<c>training_config.lr_scheduler</c>).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LearningRateDecay>))]
public enum LearningRateDecay
{
    /// <summary>Half a cosine down to zero.</summary>
    [JsonStringEnumMemberName("cosine")]
    Cosine,

    /// <summary>A straight line down to zero.</summary>
    [JsonStringEnumMemberName("linear")]
    Linear,

    /// <summary>The peak until the end.</summary>
    [JsonStringEnumMemberName("constant")]
    Constant,
}
