using System.Text.Json.Serialization;

namespace LangTrain.Training;

/// <summary>What the loss is taken on (<c>config.objective</c>).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TrainingObjective>))]
public enum TrainingObjective
{
    /// <summary>Supervised fine-tuning: the tokens of completions or assistant messages.</summary>
    [JsonStringEnumMemberName("sft")]
    Sft,

    /// <summary>Continued pre-training: every token of a text.</summary>
    [JsonStringEnumMemberName("text")]
    Text,

    /// <summary>Direct preference optimization (arXiv:2305.18290): a chosen answer becomes likelier than a rejected one, measured against the model as it was before.</summary>
    [JsonStringEnumMemberName("dpo")]
    Dpo,
}
