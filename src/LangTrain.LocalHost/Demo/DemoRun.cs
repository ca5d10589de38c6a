using System.Globalization;
using System.Text.Json.Nodes;
using LangTrain.LocalHost.Startup;
using Spectre.Console;

namespace LangTrain.LocalHost.Demo;

/// <summary>The main job before the reader's eyes, over the public API alone: dataset, fine-tune, answers before and after.</summary>
internal sealed class DemoRun(Uri url, string key, IAnsiConsole console, TimeProvider time)
{
    private const int Questions = 60;
    private const double EnoughAfter = 0.8;

    /// <summary>Runs the demo.</summary>
    /// <returns>0 when it showed what it is there for.</returns>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        using var api = new DemoApi(url, key);
        try
        {
            // 1. What the base model makes of questions that the training will not see.
            var heldOut = DemoFiles.HeldOut(Questions);
            console.MarkupLineInterpolated($"\nThe task: read an order, write it down in one fixed form. The base model [bold]{TinyBaseModel.Id}[/] has never seen it.");
            var before = await ScoreAsync(api, TinyBaseModel.Id, heldOut, cancellation);
            console.MarkupLineInterpolated($"Before: [bold]{Percent(before)}[/] of {heldOut.Count} held-out orders are right.\n");

            // 2. Upload, one POST, watch.
            var file = await api.UploadAsync(DemoFiles.TrainingFile, cancellation);
            console.MarkupLineInterpolated($"[grey]POST /v1/files[/]       {Path.GetFileName(DemoFiles.TrainingFile)} is {file}");
            var job = await api.PostAsync("fine-tunes", new JsonObject
            {
                ["model_id"] = TinyBaseModel.Id,
                ["dataset"] = new JsonObject { ["type"] = "jsonl", ["file_id"] = file },
                ["config"] = DemoFiles.Config(),
                ["suffix"] = "orders",
            }, cancellation);
            var id = DemoApi.Text(job, "id");
            console.MarkupLineInterpolated($"[grey]POST /v1/fine-tunes[/]  {id}, LoRA, live from its WebSocket:");
            await new JobWatch(api, console).FollowAsync(id, cancellation);

            // 3. The model that came out of it, on the same questions.
            var model = DemoApi.Text(await api.GetAsync($"fine-tunes/{id}", cancellation), "fine_tuned_model");
            console.MarkupLineInterpolated($"The model is [bold]{model}[/] and answers at once.\n");
            var after = await ScoreAsync(api, model, heldOut, cancellation);
            console.MarkupLineInterpolated($"After:  [bold]{Percent(after)}[/] of {heldOut.Count} held-out orders are right.\n");
            await ShowAsync(api, model, heldOut, cancellation);
            console.MarkupLineInterpolated(
                $"[grey]Done in {time.GetElapsedTime(begun).TotalSeconds:f0} s. Your own model: README, section \"Fine-tune your own model\".[/]");
            return after >= EnoughAfter ? 0 : throw new DemoFailedException("The fine-tuned model answers fewer held-out orders than this demo promises.");
        }
        catch (DemoFailedException failure)
        {
            console.MarkupLineInterpolated($"[red]The demo failed: {failure.Message}[/]");
            return 1;
        }
    }

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:f0} %");

    private static async Task<double> ScoreAsync(DemoApi api, string model, IReadOnlyList<(string Question, string Answer)> heldOut, CancellationToken cancellation)
    {
        var right = 0;
        await Parallel.ForEachAsync(heldOut, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellation }, async (pair, stop) =>
        {
            if ((await api.AskAsync(model, pair.Question, stop)).Trim() == pair.Answer)
            {
                Interlocked.Increment(ref right);
            }
        });
        return (double)right / heldOut.Count;
    }

    private async Task ShowAsync(DemoApi api, string model, IReadOnlyList<(string Question, string Answer)> heldOut, CancellationToken cancellation)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("order").AddColumn("base model").AddColumn("fine-tuned");
        foreach (var (question, _) in heldOut.Take(2))
        {
            table.AddRow(
                new Text(question),
                new Text((await api.AskAsync(TinyBaseModel.Id, question, cancellation)).Trim()),
                new Text((await api.AskAsync(model, question, cancellation)).Trim()));
        }

        console.Write(table);
    }
}
