using System.Text.Json.Serialization;

namespace LangTrain.Training;

/// <summary>Which tokens of a supervised row are learned (<c>training_config.loss_on</c>); rows of plain text are learned whole either way.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LossOn>))]
public enum LossOn
{
    /// <summary>Answers only: completions, and messages of the assistant whose weight is not 0.</summary>
    [JsonStringEnumMemberName("completion")]
    Completion,

    /// <summary>Every token: prompts, messages of all roles, and what the chat template writes between them.</summary>
    [JsonStringEnumMemberName("all")]
    All,
}
