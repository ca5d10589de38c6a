using System.Text.Json;
using System.Text.Json.Nodes;

namespace LangTrain.LocalHost.Demo;

/// <summary>What the demo trains on and asks: files beside this program, made by the generator of the tiny base model's text.</summary>
internal static class DemoFiles
{
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Demo", "Data");

    /// <summary>Rows to train on.</summary>
    public static string TrainingFile => Path.Combine(Folder, "train.jsonl");

    /// <summary>The job's <c>config</c>.</summary>
    public static JsonObject Config() => (JsonObject)JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "config.json")))!;

    /// <summary>Questions with their answers, none of which is in the training rows.</summary>
    public static IReadOnlyList<(string Question, string Answer)> HeldOut(int count) =>
        [.. File.ReadLines(Path.Combine(Folder, "held-out.jsonl")).Take(count).Select(line =>
        {
            using var row = JsonDocument.Parse(line);
            var messages = row.RootElement.GetProperty("messages");
            return (messages[0].GetProperty("content").GetString()!, messages[1].GetProperty("content").GetString()!);
        })];
}
