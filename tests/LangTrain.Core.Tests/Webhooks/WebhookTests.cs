using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LangTrain.Contracts.Webhooks;
using LangTrain.Core.Accounts;
using LangTrain.Core.Http;
using LangTrain.Core.Storage;
using LangTrain.Core.Webhooks;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Webhooks;

public sealed class WebhookTests : IDisposable
{
    private static readonly JsonElement Data = JsonElement.Parse("""{"id":"ftjob-1"}""");

    private readonly ManualTimeProvider _time = new();
    private readonly InMemoryWebhookStore _store = new();
    private readonly InMemoryWorkQueue<DeliverWebhookWorkItem> _queue;
    private readonly WebhookSignature _signature = new(new DerivedSecrets(new string('k', 40)));
    private readonly Receiver _receiver = new();

    public WebhookTests() => _queue = new InMemoryWorkQueue<DeliverWebhookWorkItem>(_time);

    public void Dispose() => _receiver.Dispose();

    [Fact]
    public async Task An_event_arrives_once_signed_as_the_standard_says()
    {
        var webhook = await HookAsync();
        await PublishAsync();
        await WorkAsync();

        var (headers, body) = Assert.Single(_receiver.Calls);
        Assert.Equal(_time.GetUtcNow().ToUnixTimeSeconds().ToString(), headers["webhook-timestamp"]);
        Assert.Equal("fine_tune.completed", JsonElement.Parse(body).GetProperty("type").GetString());
        Assert.Equal("ftjob-1", JsonElement.Parse(body).GetProperty("data").GetProperty("id").GetString());
        AssertSigned(headers, body, _signature.SecretOf(webhook.AccountId, webhook.Id, 1));
        Assert.Equal((WebhookDeliveryStatus.Delivered, 1, 200), await StateAsync(webhook));
    }

    [Fact]
    public async Task Published_again_after_a_death_it_is_still_one_event()
    {
        var webhook = await HookAsync();
        await PublishAsync();
        await PublishAsync();
        Assert.Equal(2, _queue.Messages.Count);
        await WorkAsync();
        await PublishAsync();
        await WorkAsync();

        Assert.Single(_receiver.Calls);
        Assert.Single((await _store.ListDeliveriesAsync(webhook.AccountId, webhook.Id, new PageRequest())).Items);
    }

    [Fact]
    public async Task A_failing_receiver_is_tried_again_with_growing_pauses_and_the_same_id()
    {
        await HookAsync();
        _receiver.Answers.Enqueue(HttpStatusCode.InternalServerError);
        _receiver.Answers.Enqueue(HttpStatusCode.ServiceUnavailable);
        await PublishAsync();
        var moments = new List<DateTimeOffset>();
        for (var i = 0; i < 100 && _queue.Messages.Count > 0; i++)
        {
            var before = _receiver.Calls.Count;
            await WorkAsync();
            if (_receiver.Calls.Count > before)
            {
                moments.Add(_time.GetUtcNow());
            }

            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(3, _receiver.Calls.Count);
        Assert.Single(_receiver.Calls.Select(call => call.Headers["webhook-id"]).Distinct());
        Assert.Single(_receiver.Calls.Select(call => call.Body).Distinct());
        Assert.Equal(3, _receiver.Calls.Select(call => call.Headers["webhook-timestamp"]).Distinct().Count());
        Assert.InRange((moments[1] - moments[0]).TotalSeconds, 5, 7);
        Assert.InRange((moments[2] - moments[1]).TotalSeconds, 30, 35);
    }

    [Fact]
    public async Task After_the_last_attempt_the_delivery_fails_and_the_webhook_is_switched_off()
    {
        var webhook = await HookAsync();
        _receiver.Default = HttpStatusCode.InternalServerError;
        await PublishAsync();
        for (var i = 0; i < WebhookRetries.MostAttempts; i++)
        {
            await WorkAsync();
            _time.Advance(TimeSpan.FromHours(27));
        }

        Assert.Equal((WebhookDeliveryStatus.Failed, WebhookRetries.MostAttempts, 500), await StateAsync(webhook));
        var off = (await _store.FindAsync(webhook.AccountId, webhook.Id))!.Value;
        Assert.False(off.IsEnabled);
        Assert.Contains("500", off.DisabledReason, StringComparison.Ordinal);
        var calls = _receiver.Calls.Count;
        await PublishAsync("ftjob-2");
        await WorkAsync();
        Assert.Equal(calls, _receiver.Calls.Count);
    }

    [Fact]
    public async Task A_receiver_that_is_gone_for_good_is_not_asked_again()
    {
        var webhook = await HookAsync();
        _receiver.Default = HttpStatusCode.Gone;
        await PublishAsync();
        await WorkAsync();
        _time.Advance(TimeSpan.FromDays(1));
        await WorkAsync();

        Assert.Single(_receiver.Calls);
        Assert.False((await _store.FindAsync(webhook.AccountId, webhook.Id))!.Value.IsEnabled);
    }

    [Fact]
    public async Task In_a_rotation_both_secrets_sign_until_the_grace_is_over()
    {
        var webhook = await HookAsync();
        var subscriptions = Subscriptions();
        await subscriptions.RotateAsync(webhook.AccountId, webhook.Id, null);
        await PublishAsync();
        await WorkAsync();
        _time.Advance(TimeSpan.FromHours(24));
        await PublishAsync("ftjob-2");
        await WorkAsync();

        var (old, young) = (_signature.SecretOf(webhook.AccountId, webhook.Id, 1), _signature.SecretOf(webhook.AccountId, webhook.Id, 2));
        Assert.Equal(2, _receiver.Calls[0].Headers["webhook-signature"].Split(' ').Length);
        AssertSigned(_receiver.Calls[0].Headers, _receiver.Calls[0].Body, old);
        AssertSigned(_receiver.Calls[0].Headers, _receiver.Calls[0].Body, young);
        Assert.Single(_receiver.Calls[1].Headers["webhook-signature"].Split(' '));
        AssertSigned(_receiver.Calls[1].Headers, _receiver.Calls[1].Body, young);
    }

    [Fact]
    public async Task A_message_that_came_twice_leads_to_no_second_chain_of_attempts()
    {
        await HookAsync();
        _receiver.Default = HttpStatusCode.InternalServerError;
        await PublishAsync();
        await PublishAsync();
        var deliver = Deliver();
        var messages = _queue.Messages;
        await deliver.ExecuteAsync(messages[0]);
        await deliver.ExecuteAsync(messages[1]);

        Assert.Single(_receiver.Calls);
        Assert.Single(_queue.Messages, message => message.Attempt == 1);
    }

    [Fact]
    public async Task A_death_after_the_call_and_before_the_row_calls_again_with_the_same_id()
    {
        await HookAsync();
        await PublishAsync();
        var dying = new DeliverWebhook(new DyingStore(_store), _queue, Call(), _time);
        await Assert.ThrowsAsync<IOException>(() => dying.ExecuteAsync(_queue.Messages[0]));
        await Deliver().ExecuteAsync(_queue.Messages[0]);

        Assert.Equal(2, _receiver.Calls.Count);
        Assert.Single(_receiver.Calls.Select(call => call.Headers["webhook-id"]).Distinct());
    }

    private static void AssertSigned(Dictionary<string, string> headers, string body, string secret)
    {
        // Written from the standard's text, not from our code.
        Assert.StartsWith("whsec_", secret, StringComparison.Ordinal);
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        Assert.InRange(key.Length, 24, 64);
        using var hmac = new HMACSHA256(key);
        var expected = Convert.ToBase64String(hmac.ComputeHash(Encoding.UTF8.GetBytes(headers["webhook-id"] + "." + headers["webhook-timestamp"] + "." + body)));
        Assert.Contains("v1," + expected, headers["webhook-signature"].Split(' '));
    }

    private async Task<Webhook> HookAsync()
    {
        var body = JsonBody.Parse("""{"url": "https://example.com/hook", "events": ["fine_tune.completed"]}"""u8);
        return await Subscriptions().CreateAsync(new Caller(Some.Account(), Some.Key(new string('0', 64)), "req-1"), body, Guid.NewGuid().ToString("N"));
    }

    private Task PublishAsync(string subject = "ftjob-1") =>
        Publish().ExecuteAsync(Some.AccountId, WebhookEvents.FineTuneCompleted, Some.Moment, subject, Data);

    private async Task WorkAsync()
    {
        while (await _queue.ReceiveAsync(TimeSpan.FromMinutes(1)) is { } message)
        {
            await Deliver().ExecuteAsync(message.Value);
            await _queue.DeleteAsync(message);
        }
    }

    private async Task<(WebhookDeliveryStatus Status, int Attempts, int? LastStatus)> StateAsync(Webhook webhook)
    {
        var delivery = Assert.Single((await _store.ListDeliveriesAsync(webhook.AccountId, webhook.Id, new PageRequest())).Items);
        return (delivery.Status, delivery.Attempts, delivery.LastStatusCode);
    }

    private PublishWebhookEvent Publish() => new(_store, _queue);

    private DeliverWebhook Deliver() => new(_store, _queue, Call(), _time);

    private WebhookCall Call() => new(new HttpClient(_receiver, disposeHandler: false), _signature, _time);

    private WebhookSubscriptions Subscriptions() => new(_store, Publish(), _signature, allowPrivate: false, _time);

    /// <summary>Takes calls as a receiver would, and answers as told.</summary>
    private sealed class Receiver : HttpMessageHandler
    {
        public List<(Dictionary<string, string> Headers, string Body)> Calls { get; } = [];

        public Queue<HttpStatusCode> Answers { get; } = [];

        public HttpStatusCode Default { get; set; } = HttpStatusCode.OK;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Calls.Add((request.Headers.ToDictionary(pair => pair.Key, pair => pair.Value.Single()), await request.Content!.ReadAsStringAsync(cancellationToken)));
            return new HttpResponseMessage(Answers.TryDequeue(out var status) ? status : Default);
        }
    }

    /// <summary>A store whose process dies when it is to write what became of a delivery.</summary>
    private sealed class DyingStore(IWebhookStore store) : IWebhookStore
    {
        public Task CreateAsync(Webhook webhook, CancellationToken cancellation = default) => store.CreateAsync(webhook, cancellation);

        public Task<Versioned<Webhook>?> FindAsync(string accountId, string webhookId, CancellationToken cancellation = default) => store.FindAsync(accountId, webhookId, cancellation);

        public Task<Versioned<Webhook>> UpdateAsync(Versioned<Webhook> current, Webhook changed, CancellationToken cancellation = default) => store.UpdateAsync(current, changed, cancellation);

        public Task<bool> DeleteAsync(string accountId, string webhookId, CancellationToken cancellation = default) => store.DeleteAsync(accountId, webhookId, cancellation);

        public IAsyncEnumerable<Webhook> ListAsync(string accountId, CancellationToken cancellation = default) => store.ListAsync(accountId, cancellation);

        public Task CreateDeliveryAsync(WebhookDelivery delivery, CancellationToken cancellation = default) => store.CreateDeliveryAsync(delivery, cancellation);

        public Task<Versioned<WebhookDelivery>?> FindDeliveryAsync(string accountId, string webhookId, string deliveryId, CancellationToken cancellation = default) =>
            store.FindDeliveryAsync(accountId, webhookId, deliveryId, cancellation);

        public Task UpdateDeliveryAsync(Versioned<WebhookDelivery> current, WebhookDelivery changed, CancellationToken cancellation = default) => throw new IOException("killed");

        public Task<Page<WebhookDelivery>> ListDeliveriesAsync(
            string accountId, string webhookId, PageRequest page, WebhookDeliveryStatus? status = null, CancellationToken cancellation = default) =>
            store.ListDeliveriesAsync(accountId, webhookId, page, status, cancellation);

        public Task<bool> DeleteDeliveryAsync(string accountId, string webhookId, string deliveryId, CancellationToken cancellation = default) =>
            store.DeleteDeliveryAsync(accountId, webhookId, deliveryId, cancellation);
    }
}
