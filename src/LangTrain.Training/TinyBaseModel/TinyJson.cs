using System.Text.Json.Serialization;

namespace LangTrain.Training.TinyBaseModel;

/// <summary>One message of a training row.</summary>
internal sealed record TinyMessage(string Role, string Content);

/// <summary>One chat row.</summary>
internal sealed record TinyChatRow(TinyMessage[] Messages);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TinyChatRow))]
internal sealed partial class TinyJson : JsonSerializerContext;
