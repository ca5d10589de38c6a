using System.Text.Json.Serialization;
using Microsoft.DurableTask;

namespace LangTrain.LocalHost.Durable;

/// <summary>How history and messages are stored.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(HistoryTurn))]
[JsonSerializable(typeof(DurableMessage))]
[JsonSerializable(typeof(TaskFailureDetails))]
internal sealed partial class DurableJson : JsonSerializerContext;
