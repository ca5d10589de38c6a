using System.Diagnostics;
using System.Text.Json.Nodes;

namespace LangTrain.Flow.Tests;

/// <summary>LocalHost as its user meets it, on one start: jobs side by side, real models, Ctrl-C, a second start.</summary>
public sealed class LocalHostTests
{
    [Fact]
    public async Task Fine_tunes_of_every_kind_and_generation_go_on_at_once()
    {
        var folder = LocalHostProcess.NewDataFolder();
        try
        {
            await using var host = await LocalHostProcess.StartAsync(folder, LocalHostProcess.FreeUrl());
            var file = await host.Api.UploadAsync(TinyModel.Rows(32));
            var first = (await host.Api.PostAsync("fine-tunes", TinyModel.Job(file, "lora", epochs: 3)))["id"]!.GetValue<string>();
            var second = (await host.Api.PostAsync("fine-tunes", TinyModel.Job(file, "qlora", epochs: 3)))["id"]!.GetValue<string>();

            var pairs = await host.Api.UploadAsync(Enumerable.Range(0, 16).Select(i => new JsonObject
            {
                ["prompt"] = $"The capital of country number {i} is", ["chosen"] = $" city number {i}.", ["rejected"] = " not known to anybody at all.",
            }));
            var preferences = TinyModel.Job(pairs, "lora", epochs: 3);
            preferences["config"]!["objective"] = "dpo";
            var third = (await host.Api.PostAsync("fine-tunes", preferences))["id"]!.GetValue<string>();

            for (var i = 0; i < 5; i++)
            {
                Assert.NotEmpty(await host.Api.CompleteAsync(TinyModel.Id, "Once upon a time", 8));
            }

            var jobs = await Task.WhenAll(
                host.Api.WaitForJobAsync(first, TimeSpan.FromMinutes(3), "completed"),
                host.Api.WaitForJobAsync(second, TimeSpan.FromMinutes(3), "completed"),
                host.Api.WaitForJobAsync(third, TimeSpan.FromMinutes(5), "completed"));
            var steps = (await host.Api.EventsAsync(third)).Where(e => e["type"]!.GetValue<string>() == "metrics").Select(e => e["data"]!).ToList();
            Assert.Equal(Math.Log(2), steps[0]["loss"]!.GetValue<double>(), 1e-3);
            Assert.True(steps[^1]["reward_margin"]!.GetValue<double>() > 0);
            foreach (var job in jobs)
            {
                Assert.Equal(job["total_steps"]!.GetValue<int>(), job["estimate"]!["total_steps"]!.GetValue<int>());
                Assert.True(job["artifacts"]!["prompts_tried"]!.GetValue<int>() > 0);
                Assert.NotEmpty(await host.Api.CompleteAsync(job["fine_tuned_model"]!.GetValue<string>(), "The capital of country number 3 is", 8));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_real_model_answers_as_published_and_can_be_fine_tuned()
    {
        var models = Repository.Shared("models");
        Assert.SkipWhen(models is null, "the real model is not beside this repository");
        var folder = LocalHostProcess.NewDataFolder();
        // Read by the worker in place; links keep the layout <org>/<name> without a copy.
        var directory = Directory.CreateDirectory(Path.Combine(folder, "models", "karpathy"));
        Directory.CreateSymbolicLink(Path.Combine(directory.FullName, "stories260K"), Path.Combine(models, "stories260K"));
        try
        {
            await using var host = await LocalHostProcess.StartAsync(folder, LocalHostProcess.FreeUrl(), new Dictionary<string, string>
            {
                ["LANGTRAIN_MODELS_DIR"] = Path.Combine(folder, "models"),
            });
            const string Model = "karpathy/stories260K";
            foreach (var golden in JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(models, "stories260K", "golden.json")))!.AsArray())
            {
                var prompt = golden!["prompt"]!.GetValue<string>();
                // The golden text is cut at a number of positions; ours may be longer or shorter by a token.
                var text = prompt + await host.Api.CompleteAsync(Model, prompt, 150);
                var expected = golden["text"]!.GetValue<string>();
                var common = Math.Min(text.Length, expected.Length);
                Assert.Equal(expected[..common], text[..common]);
                Assert.True(common > expected.Length - 20, text);
            }

            // The same model uploaded answers the same.
            var uploaded = (await host.Api.UploadModelAsync(Path.Combine(models, "stories260K"), "My stories"))["id"]!.GetValue<string>();
            Assert.Equal(await host.Api.CompleteAsync(Model, "The cat", 40), await host.Api.CompleteAsync(uploaded, "The cat", 40));

            var file = await host.Api.UploadAsync(TinyModel.Rows(16));
            var id = (await host.Api.PostAsync("fine-tunes", TinyModel.Job(file, "lora", epochs: 2, model: Model)))["id"]!.GetValue<string>();
            var job = await host.Api.WaitForJobAsync(id, TimeSpan.FromMinutes(3), "completed");
            Assert.NotEmpty(await host.Api.CompleteAsync(job["fine_tuned_model"]!.GetValue<string>(), "The capital of country number 3 is", 8));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Pause_resume_and_cancel_are_honoured_and_a_second_start_goes_on()
    {
        var folder = LocalHostProcess.NewDataFolder();
        var url = LocalHostProcess.FreeUrl();
        try
        {
            string paused;
            await using (var host = await LocalHostProcess.StartAsync(folder, url))
            {
                var file = await host.Api.UploadAsync(TinyModel.Rows(64));
                paused = (await host.Api.PostAsync("fine-tunes", TinyModel.Job(file, epochs: 20)))["id"]!.GetValue<string>();
                await host.Api.WaitForJobAsync(paused, TimeSpan.FromMinutes(1), "running");
                await host.Api.PostAsync($"fine-tunes/{paused}/pause", null);
                await host.Api.WaitForJobAsync(paused, TimeSpan.FromSeconds(30), "paused");

                var cancelled = (await host.Api.PostAsync("fine-tunes", TinyModel.Job(file, epochs: 20)))["id"]!.GetValue<string>();
                await host.Api.WaitForJobAsync(cancelled, TimeSpan.FromMinutes(1), "running");
                Assert.Equal(204, (int)(await host.Api.SendAsync(HttpMethod.Delete, $"fine-tunes/{cancelled}")).StatusCode);
                await host.Api.WaitForJobAsync(cancelled, TimeSpan.FromSeconds(30), "cancelled");

                var children = host.Children();
                Assert.Equal(0, await host.InterruptAsync(TimeSpan.FromSeconds(60)));
                Assert.DoesNotContain(children, ProcessTree.IsAlive);
            }

            var start = Stopwatch.StartNew();
            await using var again = await LocalHostProcess.StartAsync(folder, url);
            Assert.Equal("paused", (await again.Api.GetAsync($"fine-tunes/{paused}"))["status"]!.GetValue<string>());
            await again.Api.PostAsync($"fine-tunes/{paused}/resume", null);
            await again.Api.WaitForJobAsync(paused, TimeSpan.FromMinutes(3), "completed");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
