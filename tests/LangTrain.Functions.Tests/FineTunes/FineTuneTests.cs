using System.Net;
using System.Text.Json;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Accounts;
using LangTrain.Core.FineTunes;
using LangTrain.Functions.Tests.Hosting;
using LangTrain.Testing;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.Tests.FineTunes;

public sealed class FineTuneTests
{
    private const string Me = BootstrapAccount.AccountId;

    [Fact]
    public async Task A_job_is_made_with_every_default_filled_in_and_its_orchestration_starts()
    {
        await using var app = await TestApp.StartAsync();
        var job = await MakeAsync(app, name: "First");
        Assert.Equal(("fine_tune", "created", "langtrain/tiny"), (job.Text("object"), job.Text("status"), job.Text("model_id")));
        Assert.Equal(JsonValueKind.Object, job.GetProperty("metrics").ValueKind);
        Assert.Equal(3, job.GetProperty("config").GetProperty("training_config").GetProperty("epochs").GetInt32());
        Assert.Contains(job.Text("id"), ((RecordingDurableTaskClient)app.Service<DurableTaskClient>()).Started);
        Assert.Equal("First", (await app.Client.GetAsync("fine-tunes/" + job.Text("id")).JsonAsync()).Text("name"));
    }

    [Fact]
    public async Task Lists_are_paged_and_narrowed_by_every_filter()
    {
        await using var app = await TestApp.StartAsync();
        var store = app.Service<IFineTuneStore>();
        var day = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
        for (var i = 0; i < 5; i++)
        {
            var at = day.AddDays(i);
            await store.CreateAsync(Some.Job(Core.Ids.FirstAt("ftjob", at)[..^1] + i, Me) with
            {
                CreatedAt = at,
                Name = i == 3 ? "Night Run" : "run",
                ModelId = i == 2 ? "other/alias" : "langtrain/tiny",
                Status = i == 4 ? FineTuneStatus.Completed : FineTuneStatus.Queued,
                Metadata = i < 2 ? new Dictionary<string, string> { ["team"] = i == 0 ? "a" : "b" } : new Dictionary<string, string>(),
            });
        }

        Assert.Equal("43210", await NumbersAsync(app, ""));
        Assert.Equal("01234", await NumbersAsync(app, "?order=asc"));
        Assert.Equal("4", await NumbersAsync(app, "?status=completed"));
        Assert.Equal("2", await NumbersAsync(app, "?model=other/alias"));
        Assert.Equal("3", await NumbersAsync(app, "?name=night"));
        Assert.Equal("32", await NumbersAsync(app, "?created_after=2026-03-03&created_before=2026-03-05"));
        Assert.Equal("23", await NumbersAsync(app, "?created_after=2026-03-03&created_before=2026-03-05&order=asc"));
        Assert.Equal("1", await NumbersAsync(app, "?metadata[team]=b"));
        Assert.Equal("432", await NumbersAsync(app, "?metadata=null"));
        Assert.Equal("3", await NumbersAsync(app, "?metadata=null&status=queued&name=RUN&created_after=2026-03-04"));

        var first = await app.Client.GetAsync("fine-tunes?metadata=null&limit=2").JsonAsync();
        Assert.True(first.GetProperty("has_more").GetBoolean());
        var second = await app.Client.GetAsync($"fine-tunes?metadata=null&limit=2&after={first.Text("last_id")}").JsonAsync();
        Assert.EndsWith("2", second.Text("first_id"), StringComparison.Ordinal);
        Assert.False(second.GetProperty("has_more").GetBoolean());

        foreach (var wrong in (string[])["status=done", "created_after=soon", "metadata=x", "limit=0", "order=up", "name="])
        {
            await app.Client.GetAsync("fine-tunes?" + wrong).ErrorAsync(HttpStatusCode.BadRequest);
        }
    }

    [Fact]
    public async Task Events_are_read_in_both_orders_in_pages_and_as_a_stream_after_the_last_one_seen()
    {
        await using var app = await TestApp.StartAsync();
        var id = (await MakeAsync(app)).Text("id");
        await TellAsync(app, id, [.. Enumerable.Range(1, 4).Select(Metrics), new JobEventDraft { Key = "end", Type = "status", Status = "cancelled", Timestamp = Some.Moment }]);
        await ChangeAsync(app, id, job => job with { Status = FineTuneStatus.Cancelled });

        // The first is the job's own beginning.
        Assert.Equal("1,2,3,4,5,6", await SequencesAsync(app, $"fine-tunes/{id}/events"));
        Assert.Equal("3,4", await SequencesAsync(app, $"fine-tunes/{id}/events?after=2&limit=2"));
        Assert.Equal("6,5", await SequencesAsync(app, $"fine-tunes/{id}/events?order=desc&limit=2"));
        Assert.Equal("5,4,3,2", await SequencesAsync(app, $"fine-tunes/{id}/metrics?order=desc&after=6"));
        Assert.Equal("4,5", await SequencesAsync(app, $"fine-tunes/{id}/metrics?after=3"));

        Assert.Equal("5,6", await StreamAsync(app, $"fine-tunes/{id}/events", lastEventId: "4"));
        Assert.Equal("4,5", await StreamAsync(app, $"fine-tunes/{id}/metrics", lastEventId: "3"));
        Assert.Equal("6", await StreamAsync(app, $"fine-tunes/{id}/logs", lastEventId: "1"));
        Assert.Contains("status: cancelled", await app.Client.GetStringAsync($"fine-tunes/{id}/logs"), StringComparison.Ordinal);
        foreach (var wrong in (string[])["after=x", "limit=0", "order=up"])
        {
            await app.Client.GetAsync($"fine-tunes/{id}/events?{wrong}").ErrorAsync(HttpStatusCode.BadRequest);
        }
    }

    [Fact]
    public async Task A_job_is_cancelled_paused_and_resumed_as_far_as_its_state_allows()
    {
        await using var app = await TestApp.StartAsync();
        var id = (await MakeAsync(app)).Text("id");
        await ChangeAsync(app, id, job => job with { Status = FineTuneStatus.Queued });
        Assert.Equal("paused", (await app.Client.PostAsync($"fine-tunes/{id}/pause", null).JsonAsync()).Text("status"));
        Assert.Equal("queued", (await app.Client.PostAsync($"fine-tunes/{id}/resume", null).JsonAsync()).Text("status"));
        using var gone = await app.Client.DeleteAsync($"fine-tunes/{id}");
        Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        Assert.Equal("cancelled", (await app.Client.GetAsync($"fine-tunes/{id}").JsonAsync()).Text("status"));
        Assert.Equal("fine_tune_ended", (await app.Client.PostAsync($"fine-tunes/{id}/resume", null).ErrorAsync(HttpStatusCode.Conflict)).Text("code"));
    }

    [Fact]
    public async Task The_together_clients_request_makes_the_same_job()
    {
        await using var app = await TestApp.StartAsync();
        await FileAsync(app);
        var job = await app.Client.PostAsync("fine-tunes", new
        {
            model = "langtrain/tiny", training_file = "file-rows", n_epochs = 2, batch_size = "max", learning_rate = 1e-3, suffix = "mine",
            lr_scheduler = new { lr_scheduler_type = "linear", lr_scheduler_args = new { min_lr_ratio = 0 } },
            training_type = new { type = "Lora", lora_r = 8, lora_alpha = 16, lora_trainable_modules = "q_proj, v_proj" },
            training_method = new { method = "sft", train_on_inputs = "auto" },
            n_checkpoints = 1, warmup_ratio = 0, weight_decay = 0, random_seed = 3,
        }).JsonAsync();
        var (lora, training) = (job.GetProperty("config").GetProperty("lora_config"), job.GetProperty("config").GetProperty("training_config"));
        Assert.Equal((8, 2, "linear", 3), (lora.GetProperty("r").GetInt32(), training.GetProperty("epochs").GetInt32(), training.Text("lr_scheduler"), training.GetProperty("seed").GetInt32()));
        Assert.Equal(["q_proj", "v_proj"], lora.GetProperty("target_modules").EnumerateArray().Select(one => one.GetString()));
        Assert.Equal(("langtrain/tiny", "file-rows"), (job.Text("model"), job.Text("training_file")));

        var error = await app.Client.PostAsync("fine-tunes", new { model = "langtrain/tiny", training_file = "file-rows", wandb_api_key = "k", n_evals = 4, n_epoch = 1 })
            .ErrorAsync(HttpStatusCode.BadRequest);
        Assert.Equivalent(new[] { "wandb_api_key", "n_evals", "n_epoch" }, error.GetProperty("errors").EnumerateArray().Select(one => one.Text("param")).ToArray(), strict: true);
        Assert.Equal("training_file", (await app.Client.PostAsync("fine-tunes", new { model = "langtrain/tiny", training_file = "file-none" }).ErrorAsync(HttpStatusCode.NotFound)).Text("param"));
    }

    [Fact]
    public async Task An_estimate_reports_on_the_data_and_stores_nothing()
    {
        await using var app = await TestApp.StartAsync();
        using var form = new MultipartFormDataContent
        {
            { new StringContent("fine-tune"), "purpose" },
            { new StringContent("""{"prompt":"Red is","completion":" a color"}""" + "\n" + """{"prompt":"Monday is"}""" + "\n"), "file", "rows.jsonl" },
        };
        var file = (await app.Client.PostAsync("files", form).JsonAsync()).Text("id");
        var bad = (await app.Client.PostAsync("fine-tunes/estimate", new { model_id = "langtrain/tiny", dataset = new { file_id = file } }).JsonAsync()).GetProperty("dataset");
        Assert.False(bad.GetProperty("valid").GetBoolean());
        Assert.Equal(2, bad.GetProperty("problems")[0].GetProperty("line").GetInt32());

        using var good = new MultipartFormDataContent { { new StringContent("fine-tune"), "purpose" }, { new StringContent("""{"prompt":"Red is","completion":" a color"}"""), "file", "rows.jsonl" } };
        file = (await app.Client.PostAsync("files", good).JsonAsync()).Text("id");
        var estimate = await app.Client.PostAsync("fine-tunes/estimate", new { model_id = "langtrain/tiny", dataset = new { file_id = file }, config = new { training_config = new { epochs = 4 } } }).JsonAsync();
        Assert.Equal(40, estimate.GetProperty("estimate").GetProperty("total_tokens").GetInt32());
        Assert.Equal("USD", estimate.GetProperty("price").Text("currency"));
        Assert.Equal("dataset.file_id", (await app.Client.PostAsync("fine-tunes/estimate", new { model_id = "langtrain/tiny", dataset = new { file_id = "file-x" } }).ErrorAsync(HttpStatusCode.NotFound)).Text("param"));
        Assert.Empty((await app.Client.GetAsync("fine-tunes").JsonAsync()).GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task Numbers_of_steps_that_a_diverged_run_went_back_behind_are_not_listed()
    {
        await using var app = await TestApp.StartAsync();
        var id = (await MakeAsync(app)).Text("id");
        await TellAsync(app, id, [Metrics(1), Metrics(2), Metrics(3)]);
        await TellAsync(app, id, [new JobEventDraft { Key = "rollback-1", Type = JobEventTypes.Rollback, Timestamp = Some.Moment, Data = JsonElement.Parse("""{"step":1,"rollbacks":1}""") }]);
        await TellAsync(app, id, [Metrics(2) with { Key = "metrics-2-r1" }]);
        await ChangeAsync(app, id, job => job with { Status = FineTuneStatus.Cancelled });

        Assert.Equal("1,2,3,4,5,6", await SequencesAsync(app, $"fine-tunes/{id}/events"));
        Assert.Equal("2,6", await SequencesAsync(app, $"fine-tunes/{id}/metrics"));
        Assert.Equal("6,2", await SequencesAsync(app, $"fine-tunes/{id}/metrics?order=desc"));
        // A stream has told of them before anybody knew.
        Assert.Equal("2,3,4,5,6", await StreamAsync(app, $"fine-tunes/{id}/metrics", lastEventId: "1"));
        Assert.Contains("went back to step 1", (await app.Client.GetStringAsync($"fine_tuning/jobs/{id}/events")), StringComparison.Ordinal);
    }

    internal static async Task FileAsync(TestApp app) => await app.Service<Core.Files.IFileStore>().CreateAsync(Some.File("file-rows", Me));

    internal static async Task<JsonElement> MakeAsync(TestApp app, string? name = null) => await app.Client.PostAsync("fine-tunes", new
    {
        model_id = "langtrain/tiny", name, dataset = new { type = "jsonl", url = "https://example.com/rows.jsonl" },
    }).JsonAsync();

    internal static JobEventDraft Metrics(int step) => new()
    {
        Key = $"metrics-{step}", Type = JobEventTypes.Metrics, Timestamp = Some.Moment, Data = JsonElement.Parse($$"""{"step":{{step}},"total_steps":9,"loss":1.5}"""),
    };

    internal static Task TellAsync(TestApp app, string id, IReadOnlyList<JobEventDraft> events) => app.Service<IJobEventLog>().AppendAsync(new FineTuneRef(Me, id), events);

    internal static async Task ChangeAsync(TestApp app, string id, Func<FineTune, FineTune> change)
    {
        var store = app.Service<IFineTuneStore>();
        var row = (await store.FindAsync(new FineTuneRef(Me, id)))!;
        await store.UpdateAsync(row, change(row.Value));
    }

    private static async Task<string> NumbersAsync(TestApp app, string query) => string.Concat(
        (await app.Client.GetAsync("fine-tunes" + query).JsonAsync()).GetProperty("data").EnumerateArray().Select(job => job.Text("id")[^1]));

    private static async Task<string> SequencesAsync(TestApp app, string path) =>
        string.Join(',', (await app.Client.GetAsync(path).JsonAsync()).GetProperty("data").EnumerateArray().Select(told => told.GetProperty("sequence").GetInt64()));

    private static async Task<string> StreamAsync(TestApp app, string path, string lastEventId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Accept", "text/event-stream");
        request.Headers.Add("Last-Event-ID", lastEventId);
        using var response = await app.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return string.Join(',', text.Split('\n').Where(line => line.StartsWith("id: ", StringComparison.Ordinal)).Select(line => line[4..]));
    }
}
