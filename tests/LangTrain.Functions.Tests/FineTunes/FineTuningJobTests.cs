using System.Net;
using System.Text.Json;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Functions.Tests.Hosting;

namespace LangTrain.Functions.Tests.FineTunes;

/// <summary>OpenAI's names for the same jobs; its own clients are tried in the flow tests.</summary>
public sealed class FineTuningJobTests
{
    [Fact]
    public async Task A_job_reads_as_OpenAI_writes_it_in_every_state()
    {
        await using var app = await TestApp.StartAsync();
        await FineTuneTests.FileAsync(app);
        var made = await app.Client.PostAsync("fine_tuning/jobs", new
        {
            model = "langtrain/tiny", training_file = "file-rows", seed = 9, suffix = "mine", metadata = new { team = "a" },
            hyperparameters = new { n_epochs = 2, batch_size = "auto", learning_rate_multiplier = 0.5 },
        }).JsonAsync();
        Assert.Equal(("fine_tuning.job", "validating_files", "file-rows", 9), (made.Text("object"), made.Text("status"), made.Text("training_file"), made.GetProperty("seed").GetInt32()));
        Assert.Equal("""{"batch_size":4,"learning_rate_multiplier":0.5,"n_epochs":2}""", made.GetProperty("method").GetProperty("supervised").GetProperty("hyperparameters").GetRawText());
        foreach (var later in (string[])["finished_at", "fine_tuned_model", "trained_tokens", "error", "validation_file", "estimated_finish"])
        {
            Assert.Equal(JsonValueKind.Null, made.GetProperty(later).ValueKind);
        }

        var id = made.Text("id");
        foreach (var (status, word) in ((FineTuneStatus, string)[])
        [
            (FineTuneStatus.Validating, "validating_files"), (FineTuneStatus.Queued, "queued"), (FineTuneStatus.Running, "running"), (FineTuneStatus.Paused, "paused"),
            (FineTuneStatus.Completed, "succeeded"), (FineTuneStatus.Cancelled, "cancelled"), (FineTuneStatus.Failed, "failed"),
        ])
        {
            await FineTuneTests.ChangeAsync(app, id, job => job with
            {
                Status = status,
                Progress = job.Progress with { TrainedTokens = 77, EtaSeconds = 30 },
                Error = status == FineTuneStatus.Failed ? new JobError("dataset_invalid", "Line 3 is no JSON.") : null,
            });
            var job = await app.Client.GetAsync("fine_tuning/jobs/" + id).JsonAsync();
            Assert.Equal(word, job.Text("status"));
            Assert.Equal(status == FineTuneStatus.Running, job.GetProperty("estimated_finish").ValueKind == JsonValueKind.Number);
            Assert.Equal(FineTuneStateMachine.IsTerminal(status), job.GetProperty("trained_tokens").ValueKind == JsonValueKind.Number);
        }

        var error = (await app.Client.GetAsync("fine_tuning/jobs?limit=1&metadata[team]=a").JsonAsync()).GetProperty("data")[0].GetProperty("error");
        Assert.Equal(("dataset_invalid", "training_file"), (error.Text("code"), error.Text("param")));
        Assert.Equal("failed", (await app.Client.GetAsync("fine-tunes/" + id).JsonAsync()).Text("status"));
    }

    [Fact]
    public async Task Events_come_newest_first_in_pages_that_meet()
    {
        await using var app = await TestApp.StartAsync();
        var id = (await FineTuneTests.MakeAsync(app)).Text("id");
        await FineTuneTests.TellAsync(app, id, [.. Enumerable.Range(1, 4).Select(FineTuneTests.Metrics)]);
        var first = await app.Client.GetAsync($"fine_tuning/jobs/{id}/events?limit=3").JsonAsync();
        var told = first.GetProperty("data")[0];
        Assert.Equal(("fine_tuning.job.event", "metrics", "Step 4/9: training loss=1.50"), (told.Text("object"), told.Text("type"), told.Text("message")));
        Assert.True(first.GetProperty("has_more").GetBoolean());
        var second = await app.Client.GetAsync($"fine_tuning/jobs/{id}/events?limit=3&after={first.Text("last_id")}").JsonAsync();
        Assert.Equal(["Step 1/9: training loss=1.50", "Created fine-tuning job"], second.GetProperty("data").EnumerateArray().Select(one => one.Text("message")));
        Assert.False(second.GetProperty("has_more").GetBoolean());
        await app.Client.GetAsync($"fine_tuning/jobs/{id}/events?after=ftevent-other-1").ErrorAsync(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("""{"model":"langtrain/tiny","training_file":"file-rows","integrations":[{"type":"wandb"}]}""", "integrations")]
    [InlineData("""{"model":"langtrain/tiny","training_file":"file-rows","method":{"type":"reinforcement"}}""", "method.type")]
    [InlineData("""{"model":"langtrain/tiny","training_file":"file-rows","method":{"type":"supervised","supervised":{"hyperparameters":{"n_epochs":"many"}}}}""", "method.supervised.hyperparameters.n_epochs")]
    [InlineData("""{"model":"langtrain/tiny","training_file":"file-rows","method":{"type":"supervised"},"hyperparameters":{"n_epochs":1}}""", "hyperparameters")]
    [InlineData("""{"model":"langtrain/tiny","training_file":"file-rows","trainingfile":"x"}""", "trainingfile")]
    [InlineData("""{"model":"langtrain/tiny"}""", "training_file")]
    public async Task What_cannot_be_honoured_is_refused_by_name(string body, string param)
    {
        await using var app = await TestApp.StartAsync();
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        Assert.Equal(param, (await app.Client.PostAsync("fine_tuning/jobs", content).ErrorAsync(HttpStatusCode.BadRequest)).Text("param"));
    }

    [Fact]
    public async Task Models_and_files_that_are_not_there_are_named_by_the_requests_own_words()
    {
        await using var app = await TestApp.StartAsync();
        await FineTuneTests.FileAsync(app);
        Assert.Equal("model", (await app.Client.PostAsync("fine_tuning/jobs", new { model = "a/b", training_file = "file-rows" }).ErrorAsync(HttpStatusCode.NotFound)).Text("param"));
        Assert.Equal("training_file", (await app.Client.PostAsync("fine_tuning/jobs", new { model = "langtrain/tiny", training_file = "file-x" }).ErrorAsync(HttpStatusCode.NotFound)).Text("param"));
        Assert.Equal("validation_file", (await app.Client.PostAsync("fine_tuning/jobs", new { model = "langtrain/tiny", training_file = "file-rows", validation_file = "file-y" })
            .ErrorAsync(HttpStatusCode.NotFound)).Text("param"));
    }
}
