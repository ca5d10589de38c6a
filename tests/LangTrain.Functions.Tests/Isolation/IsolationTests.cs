using System.Net;
using System.Net.Http.Json;
using System.Text;
using LangTrain.Contracts.Batches;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Accounts;
using LangTrain.Core.Batches;
using LangTrain.Core.Files;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Webhooks;
using LangTrain.Functions.Http;
using LangTrain.Functions.Tests.Hosting;
using LangTrain.Testing;

namespace LangTrain.Functions.Tests.Isolation;

/// <summary>Two accounts: what one has, the other cannot see, name, change, train on or ask; to it, it is not there.</summary>
public sealed class IsolationTests
{
    private const string Mine = BootstrapAccount.AccountId;
    private const string BatchId = "batch-01jmine0000000000000000000";
    private const string JobId = "ftjob-01jmine0000000000000000000", FileId = "file-01jmine0000000000000000000", ModelId = "ft:langtrain/tiny:mine::1";

    [Fact]
    public async Task Every_route_with_an_id_answers_404_for_what_is_somebody_elses_and_changes_nothing()
    {
        await using var app = await TestApp.StartAsync();
        var ids = await FillAsync(app);
        using var other = await app.OtherAccountAsync();
        var wrong = new List<string>();
        foreach (var (route, methods) in RouteCatalog.All.Where(entry => entry.Route.Contains('{') && !entry.Route.StartsWith("dashboard", StringComparison.Ordinal)))
        {
            var path = string.Join('/', route.Split('/').Select(part => part.StartsWith('{') ? ids.GetValueOrDefault(part, "made-up-id") : part));
            foreach (var method in methods)
            {
                using var response = await other.SendAsync(Request(method, path), HttpCompletionOption.ResponseHeadersRead);
                var body = response.Content.Headers.ContentType?.MediaType == "application/json" ? await response.Content.ReadAsStringAsync() : "";
                if (response.StatusCode != HttpStatusCode.NotFound || body.Contains("Secret name", StringComparison.Ordinal))
                {
                    wrong.Add($"{method} {path}: {(int)response.StatusCode} {body}");
                }
            }
        }

        Assert.Empty(wrong);
        Assert.Equal(FineTuneStatus.Created, (await app.Service<IFineTuneStore>().FindAsync(new FineTuneRef(Mine, JobId)))!.Value.Status);
        Assert.Equal(BatchStatus.Validating, (await app.Service<IBatchStore>().FindAsync(new BatchRef(Mine, BatchId)))!.Value.Status);
        Assert.NotNull(await app.Service<IFileStore>().FindAsync(Mine, FileId));
        Assert.NotNull(await app.Models.FindAsync(Mine, ModelId));
        Assert.Single(await app.Service<IWebhookStore>().ListAsync(Mine).ToListAsync());
    }

    [Fact]
    public async Task Every_list_of_another_account_is_empty_of_mine()
    {
        await using var app = await TestApp.StartAsync();
        await FillAsync(app);
        using var other = await app.OtherAccountAsync();
        foreach (var (route, _) in RouteCatalog.All.Where(entry => !entry.Route.Contains('{') && entry.Methods.Contains("GET")))
        {
            using var response = await other.GetAsync(route);
            var text = await response.Content.ReadAsStringAsync();
            foreach (var mine in (string[])[JobId, BatchId, FileId, ModelId, "Secret name", Mine])
            {
                Assert.DoesNotContain(mine, text, StringComparison.Ordinal);
            }
        }

        Assert.DoesNotContain(ModelId, await other.GetStringAsync("models?limit=100&after=a"), StringComparison.Ordinal);
        Assert.Equal(0, (await other.GetAsync($"fine-tunes?after={JobId}&order=asc").JsonAsync()).GetProperty("data").GetArrayLength());
    }

    [Theory]
    [InlineData("fine-tunes", """{"model_id": "MODEL", "dataset": {"url": "https://example.com/x.jsonl"}}""", "model_not_found")]
    [InlineData("fine-tunes", """{"model_id": "langtrain/tiny", "dataset": {"file_id": "FILE"}}""", "file_not_found")]
    [InlineData("fine-tunes", """{"model_id": "langtrain/tiny", "dataset": {"url": "https://example.com/x.jsonl", "validation_file_id": "FILE"}}""", "file_not_found")]
    [InlineData("fine-tunes", """{"model": "langtrain/tiny", "training_file": "FILE"}""", "file_not_found")]
    [InlineData("fine-tunes/estimate-price", """{"model": "MODEL", "training_file": "FILE"}""", "model_not_found")]
    [InlineData("fine-tunes/preview", """{"model": "langtrain/tiny", "training_file": "FILE"}""", "file_not_found")]
    [InlineData("fine-tunes/preview", """{"model": "MODEL", "training_file": "FILE"}""", "model_not_found")]
    [InlineData("fine_tuning/jobs", """{"model": "langtrain/tiny", "training_file": "FILE"}""", "file_not_found")]
    [InlineData("batches", """{"input_file_id": "FILE", "endpoint": "/v1/completions", "completion_window": "24h"}""", "file_not_found")]
    [InlineData("completions", """{"model": "MODEL", "prompt": "x"}""", "model_not_found")]
    [InlineData("chat/completions", """{"model": "MODEL", "messages": [{"role": "user", "content": "x"}]}""", "model_not_found")]
    [InlineData("tokenize", """{"model": "MODEL", "text": "x"}""", "model_not_found")]
    public async Task What_is_somebody_elses_cannot_be_named_in_a_body(string path, string body, string code)
    {
        await using var app = await TestApp.StartAsync();
        await FillAsync(app);
        using var other = await app.OtherAccountAsync();
        using var content = new StringContent(body.Replace("MODEL", ModelId, StringComparison.Ordinal).Replace("FILE", FileId, StringComparison.Ordinal), Encoding.UTF8, "application/json");
        Assert.Equal(code, (await other.PostAsync(path, content).ErrorAsync(HttpStatusCode.NotFound)).Text("code"));
    }

    [Fact]
    public async Task An_idempotency_key_is_an_accounts_own()
    {
        await using var app = await TestApp.StartAsync();
        using var other = await app.OtherAccountAsync();
        var mine = await Create(app.Client).JsonAsync();
        using var theirs = await Create(other);
        Assert.False(theirs.Headers.Contains("Idempotent-Replayed"));
        Assert.NotEqual(mine.Text("id"), (await Task.FromResult(theirs).JsonAsync()).Text("id"));

        static Task<HttpResponseMessage> Create(HttpClient client) => client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "fine-tunes")
        {
            Content = JsonContent.Create(new { model_id = "langtrain/tiny", dataset = new { url = "https://example.com/x.jsonl" } }),
            Headers = { { "Idempotency-Key", "same" } },
        });
    }

    private static HttpRequestMessage Request(string method, string path) => new(new HttpMethod(method), path)
    {
        Content = method is "POST" or "PATCH" or "PUT" ? new StringContent("{}", Encoding.UTF8, "application/json") : null,
    };

    // One of everything, the first account's.
    private static async Task<Dictionary<string, string>> FillAsync(TestApp app)
    {
        await app.Service<IFineTuneStore>().CreateAsync(Some.Job(JobId, Mine) with { Name = "Secret name" });
        await app.Service<IBatchStore>().CreateAsync(Some.Batch(BatchId, Mine) with { Metadata = new Dictionary<string, string> { ["note"] = "Secret name" } });
        await app.Service<IFileStore>().CreateAsync(Some.File(FileId, Mine) with { Filename = "Secret name" });
        await app.Models.UpsertAsync(Some.BaseModel(ModelId) with { AccountId = Mine, Name = "Secret name" });
        var key = await app.Client.PostAsync("api-keys", new { name = "Secret name" }).JsonAsync();
        var webhook = await app.Client.PostAsync("webhooks", new { url = "https://example.com/", description = "Secret name" }).JsonAsync();
        return new Dictionary<string, string>
        {
            ["{jobId}"] = JobId,
            ["{batchId}"] = BatchId,
            ["{fileId}"] = FileId,
            ["{*modelId}"] = ModelId,
            ["{keyId}"] = key.Text("id"),
            ["{webhookId}"] = webhook.Text("id"),
            ["{accountId}"] = Mine,
        };
    }
}
