using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Webhooks;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;
using LangTrain.Core.Webhooks;
using LangTrain.Functions.Tests.Hosting;
using LangTrain.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LangTrain.Functions.Tests.Webhooks;

public sealed class WebhookHttpTests
{
    private static readonly LangTrainSettings OpenSettings = new() { SigningKey = new string('s', 32), AllowPrivateUrls = true };

    [Fact]
    public async Task A_job_that_ends_is_told_to_a_real_receiver_and_its_usage_is_counted_once()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var app = await TestApp.StartAsync(settings: OpenSettings);
        var hook = await app.Client.PostAsync("webhooks", new { url = receiver.Url }).JsonAsync();
        var job = await app.Client.PostAsync("fine-tunes", new { model_id = "langtrain/tiny", dataset = new { url = "https://example.com/x.jsonl" } }).JsonAsync();
        var reference = new FineTuneRef(Core.Accounts.BootstrapAccount.AccountId, job.Text("id"));
        var change = app.Service<ChangeFineTune>();
        await change.ExecuteAsync(reference, row => row with { Progress = row.Progress with { TrainedTokens = 123, TrainingSeconds = 4.5 } });
        await app.Client.PostAsync($"fine-tunes/{job.Text("id")}/cancel", null).JsonAsync();
        // Whoever comes to the row next does again what may not have been done.
        await app.Service<FinishFineTune>().ExecuteAsync((await app.Service<IFineTuneStore>().FindAsync(reference))!.Value);
        await WorkAsync(app);

        var (headers, body) = Assert.Single(receiver.Calls);
        Assert.Equal("application/json", headers["Content-Type"]);
        var told = JsonElement.Parse(body);
        Assert.Equal(("fine_tune.cancelled", job.Text("id"), "cancelled"), (told.Text("type"), told.GetProperty("data").Text("id"), told.GetProperty("data").Text("status")));
        var signed = $"{headers["webhook-id"]}.{headers["webhook-timestamp"]}.{body}";
        var key = Convert.FromBase64String(hook.Text("secret")["whsec_".Length..]);
        Assert.Equal("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(signed))), headers["webhook-signature"]);

        var delivery = (await app.Client.GetAsync($"webhooks/{hook.Text("id")}/deliveries").JsonAsync()).GetProperty("data")[0];
        Assert.Equal((headers["webhook-id"], "delivered", 200), (delivery.Text("id"), delivery.Text("status"), delivery.GetProperty("last_status_code").GetInt32()));
        var total = (await app.Client.GetAsync("usage?group_by=model").JsonAsync()).GetProperty("total");
        Assert.Equal((123, 4.5), (total.GetProperty("trained_tokens").GetInt32(), total.GetProperty("training_seconds").GetDouble()));
        Assert.Contains((await app.Client.GetAsync("usage?group_by=key").JsonAsync()).GetProperty("data").EnumerateArray(),
            group => group.Text("group").StartsWith("key-", StringComparison.Ordinal) && group.GetProperty("usage").GetProperty("trained_tokens").GetInt32() == 123);
    }

    [Fact]
    public async Task The_secret_is_shown_once_and_rotates()
    {
        await using var app = await TestApp.StartAsync();
        var made = await app.Client.PostAsync("webhooks", new { url = "https://example.com/hook", events = new[] { "fine_tune.failed" } }).JsonAsync();
        var secret = made.Text("secret");
        Assert.False((await app.Client.GetAsync("webhooks/" + made.Text("id")).JsonAsync()).TryGetProperty("secret", out _));
        Assert.DoesNotContain(secret, await app.Client.GetStringAsync("webhooks"), StringComparison.Ordinal);
        var rotated = await app.Client.PostAsync($"webhooks/{made.Text("id")}/rotate", new { grace_seconds = 60 }).JsonAsync();
        Assert.NotEqual(secret, rotated.Text("secret"));
        Assert.Equal(2, rotated.GetProperty("secret_version").GetInt32());
        await app.Client.DeleteAsync("webhooks/" + made.Text("id")).JsonAsync();
        await app.Client.GetAsync("webhooks/" + made.Text("id")).ErrorAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_same_request_under_one_idempotency_key_makes_one_webhook_with_one_secret()
    {
        await using var app = await TestApp.StartAsync();
        var first = await Create().JsonAsync();
        using var again = await Create();
        Assert.Equal("true", again.Headers.GetValues("Idempotent-Replayed").Single());
        Assert.Equal(first.GetRawText(), (await Task.FromResult(again).JsonAsync()).GetRawText());
        Assert.Equal(1, (await app.Client.GetAsync("webhooks").JsonAsync()).GetProperty("data").GetArrayLength());
        var stored = (await app.Service<Core.Idempotency.IIdempotencyStore>().FindAsync(Core.Accounts.BootstrapAccount.AccountId, "one"))!.Value;
        Assert.DoesNotContain("whsec_", stored.Body, StringComparison.Ordinal);

        Task<HttpResponseMessage> Create() => app.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "webhooks")
        {
            Content = JsonContent.Create(new { url = "https://example.com/hook" }), Headers = { { "Idempotency-Key", "one" } },
        });
    }

    [Theory]
    [InlineData("http://example.com/")]
    [InlineData("https://127.0.0.1/")]
    [InlineData("https://[::ffff:10.0.0.1]/")]
    [InlineData("https://[64:ff9b::a00:1]/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://0x7f.1/")]
    [InlineData("https://localhost/")]
    [InlineData("https://169.254.169.254/latest")]
    [InlineData("https://user:pass@example.com/")]
    [InlineData("https://example.com:25/")]
    [InlineData("ftp://example.com/")]
    [InlineData("/relative")]
    public async Task Addresses_that_are_plainly_not_public_are_refused(string url)
    {
        await using var app = await TestApp.StartAsync();
        Assert.Equal("url", (await app.Client.PostAsync("webhooks", new { url }).ErrorAsync(HttpStatusCode.BadRequest)).Text("param"));
    }

    [Fact]
    public async Task A_name_that_leads_inside_is_refused_when_the_event_is_sent()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var app = await TestApp.StartAsync(settings: OpenSettings);
        await app.Client.PostAsync("webhooks", new { url = receiver.Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal) }).JsonAsync();
        var webhook = await app.Service<IWebhookStore>().ListAsync(Core.Accounts.BootstrapAccount.AccountId).FirstAsync();
        using var guarded = Core.Datasets.GuardedHttp.CreateClient(allowPrivate: false);
        var delivery = new WebhookDelivery
        {
            Id = "msg-1", AccountId = webhook.AccountId, WebhookId = webhook.Id, EventType = "webhook.test", Payload = "{}", CreatedAt = Some.Moment,
        };
        var outcome = await new WebhookCall(guarded, app.Service<WebhookSignature>(), TimeProvider.System).ExecuteAsync(webhook, delivery);

        Assert.False(outcome.IsDelivered);
        Assert.Contains("private", outcome.Problem, StringComparison.Ordinal);
        Assert.Empty(receiver.Calls);
    }

    [Fact]
    public async Task Without_an_installations_secret_webhooks_are_an_honest_503()
    {
        await using var app = await TestApp.StartAsync(settings: new LangTrainSettings());
        Assert.Equal("webhooks_unavailable",
            (await app.Client.PostAsync("webhooks", new { url = "https://example.com/" }).ErrorAsync(HttpStatusCode.ServiceUnavailable)).Text("code"));
    }

    private static async Task WorkAsync(TestApp app)
    {
        var queue = app.Service<IWorkQueue<DeliverWebhookWorkItem>>();
        while (await queue.ReceiveAsync(TimeSpan.FromMinutes(1)) is { } message)
        {
            await app.Service<DeliverWebhook>().ExecuteAsync(message.Value);
            await queue.DeleteAsync(message);
        }
    }

    /// <summary>A web server of its own that takes down what it is sent.</summary>
    private sealed class Receiver : IAsyncDisposable
    {
        private readonly WebApplication _app;

        private Receiver(WebApplication app) => _app = app;

        public List<(Dictionary<string, string> Headers, string Body)> Calls { get; } = [];

        public string Url => _app.Urls.First() + "/hook";

        public static async Task<Receiver> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var receiver = new Receiver(builder.Build());
            receiver._app.MapPost("/hook", async (HttpRequest request) =>
            {
                using var reader = new StreamReader(request.Body);
                var body = await reader.ReadToEndAsync();
                lock (receiver.Calls)
                {
                    receiver.Calls.Add((request.Headers.ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.OrdinalIgnoreCase), body));
                }

                return Results.Ok();
            });
            await receiver._app.StartAsync();
            return receiver;
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();
    }
}
