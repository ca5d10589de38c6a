using System.Text.Json.Nodes;

namespace LangTrain.Flow.Tests;

/// <summary>The base model that ships with LocalHost, and small jobs on it.</summary>
internal static class TinyModel
{
    public const string Id = "langtrain/tiny-base";

    public static IEnumerable<JsonObject> Rows(int count) => Enumerable.Range(0, count)
        .Select(i => new JsonObject { ["prompt"] = $"The capital of country number {i} is", ["completion"] = $" city number {i}." });

    public static JsonObject Job(string fileId, string method = "lora", int epochs = 1, string model = Id) => new()
    {
        ["model_id"] = model,
        ["dataset"] = new JsonObject { ["type"] = "jsonl", ["file_id"] = fileId },
        ["config"] = new JsonObject
        {
            ["method"] = method,
            ["training_config"] = new JsonObject { ["epochs"] = epochs, ["batch_size"] = 4, ["learning_rate"] = 5e-4, ["save_steps"] = 10 },
        },
    };
}
