using System.Text.Json;
using System.Text.Json.Serialization;

namespace LangTrain.Worker;

/// <summary>JSON of this process's own records; those of other processes are in <c>LangTrainJson</c>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(LangTrain.Contracts.FineTunes.TrainingOutcome))]
internal sealed partial class WorkerJson : JsonSerializerContext;
