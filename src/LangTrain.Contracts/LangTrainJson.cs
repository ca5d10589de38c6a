using System.Text.Json.Serialization;
using LangTrain.Contracts.Accounts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Generation;
using LangTrain.Contracts.Webhooks;

namespace LangTrain.Contracts;

/// <summary>How every record of this assembly is written as JSON: snake_case, nulls left out, enums as snake_case words.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(TrainModelWorkItem))]
[JsonSerializable(typeof(FineTuneSignal))]
[JsonSerializable(typeof(DeliverWebhookWorkItem))]
[JsonSerializable(typeof(EndKeyWorkItem))]
[JsonSerializable(typeof(FineTuneConfig))]
[JsonSerializable(typeof(JobEvent))]
[JsonSerializable(typeof(JobEventDraft))]
[JsonSerializable(typeof(GenerateWorkItem))]
[JsonSerializable(typeof(GenerationUpdate))]
[JsonSerializable(typeof(GenerationFailure))]
[JsonSerializable(typeof(TokenizeWorkItem))]
[JsonSerializable(typeof(TokenizeResult))]
[JsonSerializable(typeof(PreviewWorkItem))]
[JsonSerializable(typeof(PreviewResult))]
[JsonSerializable(typeof(EstimateWorkItem))]
[JsonSerializable(typeof(TrainingEstimateAnswer))]
public sealed partial class LangTrainJson : JsonSerializerContext;
