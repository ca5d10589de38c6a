using System.Text.Json.Nodes;

namespace LangTrain.Flow.Tests;

/// <summary>Processes killed for real in the middle of a job: it completes once, with one model, and its log has every event once.</summary>
public sealed class CrashTests
{
    private static readonly Dictionary<string, string> ShortLease = new() { ["LANGTRAIN_LEASE_SECONDS"] = "6" };

    [Fact]
    public async Task A_job_survives_the_death_of_its_worker()
    {
        var folder = LocalHostProcess.NewDataFolder();
        try
        {
            await using var host = await LocalHostProcess.StartAsync(folder, LocalHostProcess.FreeUrl(), ShortLease);
            var id = await StartLongJobAsync(host.Api);
            await UntilStepAsync(host.Api, id, 15);

            Signals.Send(host.Children().Single(child => ProcessTree.CommandOf(child).Contains("LangTrain.Worker", StringComparison.Ordinal)), Signals.Kill);

            await host.Api.WaitForJobAsync(id, TimeSpan.FromMinutes(3), "completed");
            await AssertToldOnceAsync(host.Api, id);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_job_survives_the_death_of_the_host_and_all_it_started_ends()
    {
        var folder = LocalHostProcess.NewDataFolder();
        var url = LocalHostProcess.FreeUrl();
        using var receiver = new WebhookReceiver();
        try
        {
            string id, secret;
            IReadOnlyList<int> children;
            await using (var host = await LocalHostProcess.StartAsync(folder, url, ShortLease))
            {
                secret = (await host.Api.PostAsync("webhooks", new JsonObject { ["url"] = receiver.Url }))["secret"]!.GetValue<string>();
                id = await StartLongJobAsync(host.Api);
                await UntilStepAsync(host.Api, id, 15);
                children = host.Children();
                Assert.NotEmpty(children);
                await host.KillAsync();
            }

            for (var tries = 0; children.Any(ProcessTree.IsAlive) && tries < 150; tries++)
            {
                await Task.Delay(100);
            }

            Assert.DoesNotContain(children, ProcessTree.IsAlive);

            await using var again = await LocalHostProcess.StartAsync(folder, url, ShortLease);
            var job = await again.Api.WaitForJobAsync(id, TimeSpan.FromMinutes(3), "completed");
            await AssertToldOnceAsync(again.Api, id);

            var told = await receiver.FirstAsync(TimeSpan.FromSeconds(60));
            told.AssertSigned(secret);
            Assert.Equal(("fine_tune.completed", id), (told.Body["type"]!.GetValue<string>(), told.Body["data"]!["id"]!.GetValue<string>()));
            Assert.Single(receiver.Ids);
            // What was trained twice, because of the death, counts once.
            var usage = (await again.Api.GetAsync("usage"))["total"]!;
            Assert.Equal(job["trained_tokens"]!.GetValue<long>(), usage["trained_tokens"]!.GetValue<long>());
            Assert.True(usage["training_seconds"]!.GetValue<double>() > 0);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> StartLongJobAsync(Api api)
    {
        var job = await api.PostAsync("fine-tunes", TinyModel.Job(await api.UploadAsync(TinyModel.Rows(64)), epochs: 8));
        return job["id"]!.GetValue<string>();
    }

    private static async Task UntilStepAsync(Api api, string id, int step)
    {
        for (var tries = 0; tries < 600; tries++)
        {
            var job = await api.GetAsync($"fine-tunes/{id}");
            if (job["current_step"]!.GetValue<int>() >= step)
            {
                return;
            }

            await Task.Delay(100);
        }

        throw new TimeoutException($"The job did not reach step {step}.");
    }

    private static async Task AssertToldOnceAsync(Api api, string id)
    {
        var events = await api.EventsAsync(id);
        Assert.Equal(Enumerable.Range(1, events.Count).Select(i => (long)i), events.Select(e => e["sequence"]!.GetValue<long>()));

        // Each optimizer step once, without a hole, up to the last.
        var steps = events.Where(e => Type(e) == "metrics").Select(e => e["data"]!["step"]!.GetValue<int>()).ToList();
        var job = await api.GetAsync($"fine-tunes/{id}");
        Assert.Equal(Enumerable.Range(1, job["total_steps"]!.GetValue<int>()), steps);

        Assert.Single(events, e => Type(e) == "status" && Status(e) == "completed");
        Assert.Equal("completed", Status(events.Last(e => Type(e) == "status")));

        var models = (await api.GetAsync("models"))["data"]!.AsArray().Where(m => m!["id"]!.GetValue<string>().StartsWith("ft:", StringComparison.Ordinal));
        Assert.Equal(job["fine_tuned_model"]!.GetValue<string>(), Assert.Single(models)!["id"]!.GetValue<string>());
        Assert.NotEmpty(await api.CompleteAsync(job["fine_tuned_model"]!.GetValue<string>(), "The capital of country number 7 is", 8));
    }

    private static string Type(JsonObject e) => e["type"]!.GetValue<string>();

    private static string Status(JsonObject e) => e["status"]!.GetValue<string>();
}
