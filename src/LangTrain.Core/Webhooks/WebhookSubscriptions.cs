using System.Net;
using System.Text.Json;
using LangTrain.Core.Accounts;
using LangTrain.Core.Datasets;
using LangTrain.Core.Errors;
using LangTrain.Core.Http;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Webhooks;

/// <summary>The webhooks of an account: made, changed, rotated, tried, deleted. Thread-safe.</summary>
/// <param name="store">Rows.</param>
/// <param name="publish">Sends test events.</param>
/// <param name="signature">Their secrets.</param>
/// <param name="allowPrivate">Whether private addresses and plain http are let through (the setting for tests and closed networks).</param>
/// <param name="time">Clock.</param>
public sealed class WebhookSubscriptions(IWebhookStore store, PublishWebhookEvent publish, WebhookSignature signature, bool allowPrivate, TimeProvider time)
{
    private const int MostWebhooks = 20;
    private const int Tries = 5;
    private const int DefaultGraceSeconds = 24 * 3600;

    /// <summary>Makes a webhook: <c>url</c>, <c>events</c> (all), <c>description</c>.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="request">The body.</param>
    /// <param name="seed">Last part of its id, the same for every try of one request.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">400; 409 when there are too many; 503 where the server cannot sign.</exception>
    public async Task<Webhook> CreateAsync(Caller caller, RequestObject request, string seed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        RequireSecrets();
        var webhook = new Webhook
        {
            Id = "wh-" + seed,
            AccountId = caller.AccountId,
            Url = request.RequireText("url", 2048),
            Description = request.Text("description", 256),
            Events = ReadEvents(request) ?? WebhookEvents.All,
            CreatedAt = time.GetUtcNow(),
        };
        CheckUrl(request, webhook.Url);
        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        var existing = await store.ListAsync(caller.AccountId, cancellation).ToListAsync(cancellation);
        if (existing.Count >= MostWebhooks && existing.All(one => one.Id != webhook.Id))
        {
            throw ApiErrors.Conflict("too_many_webhooks", $"An account has at most {MostWebhooks} webhooks; delete one first.");
        }

        try
        {
            await store.CreateAsync(webhook, cancellation);
        }
        catch (AlreadyExistsException)
        {
            // An earlier try of this request made it.
        }

        return webhook;
    }

    /// <summary>A webhook.</summary>
    /// <exception cref="ApiException">404.</exception>
    public async Task<Webhook> GetAsync(string accountId, string webhookId, CancellationToken cancellation = default) =>
        (await FindAsync(accountId, webhookId, cancellation)).Value;

    /// <summary>All webhooks of an account, oldest first.</summary>
    public ValueTask<List<Webhook>> ListAsync(string accountId, CancellationToken cancellation = default) =>
        store.ListAsync(accountId, cancellation).ToListAsync(cancellation);

    /// <summary>Changes what the body names: <c>url</c>, <c>events</c>, <c>description</c>, <c>enabled</c> (true also forgets its failures).</summary>
    /// <exception cref="ApiException">400; 404.</exception>
    public async Task<Webhook> ChangeAsync(string accountId, string webhookId, RequestObject request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (url, events, description, enabled) =
            (request.Text("url", 2048, 1), ReadEvents(request), request.Text("description", 256), request.Flag("enabled"));
        if (url is not null)
        {
            CheckUrl(request, url);
        }

        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        return await UpdateAsync(accountId, webhookId, webhook => webhook with
        {
            Url = url ?? webhook.Url,
            Events = events ?? webhook.Events,
            Description = description ?? webhook.Description,
            IsEnabled = enabled ?? webhook.IsEnabled,
            DisabledReason = enabled is null ? webhook.DisabledReason : null,
            ConsecutiveFailures = enabled == true ? 0 : webhook.ConsecutiveFailures,
        }, cancellation);
    }

    /// <summary>Gives a webhook a new secret; the old one signs beside it for <c>grace_seconds</c> (0 to 30 days, default 24 hours).</summary>
    /// <param name="accountId">Owner.</param>
    /// <param name="webhookId">The webhook.</param>
    /// <param name="request">The body, or null for none.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">400; 404; 503 where the server cannot sign.</exception>
    public async Task<Webhook> RotateAsync(string accountId, string webhookId, RequestObject? request, CancellationToken cancellation = default)
    {
        RequireSecrets();
        var grace = TimeSpan.FromSeconds(request?.Integer("grace_seconds", 0, 30 * DefaultGraceSeconds) ?? DefaultGraceSeconds);
        request?.RefuseUnknownKeys();
        request?.Problems.ThrowIfAny();
        var until = time.GetUtcNow() + grace;
        return await UpdateAsync(
            accountId, webhookId, webhook => webhook with { SecretVersion = webhook.SecretVersion + 1, PreviousSecretUntil = until }, cancellation);
    }

    /// <summary>Sends a test event.</summary>
    /// <exception cref="ApiException">404; 409 for one that is switched off.</exception>
    public async Task<WebhookDelivery> TestAsync(string accountId, string webhookId, CancellationToken cancellation = default)
    {
        var webhook = await GetAsync(accountId, webhookId, cancellation);
        if (!webhook.IsEnabled)
        {
            throw ApiErrors.Conflict("webhook_disabled", "The webhook is switched off; set enabled to true first.");
        }

        var data = JsonElement.Parse("""{"object":"webhook_test","message":"This event was asked for at /webhooks/{id}/test."}""");
        return await publish.SendAsync(webhook, WebhookEvents.Test, time.GetUtcNow(), Ids.New("test", time), data, cancellation);
    }

    /// <summary>A page of what was, or is to be, delivered.</summary>
    /// <exception cref="ApiException">404.</exception>
    public async Task<Page<WebhookDelivery>> ListDeliveriesAsync(
        string accountId, string webhookId, PageRequest page, string? status, CancellationToken cancellation = default)
    {
        WebhookDeliveryStatus? wanted = status switch
        {
            null => null,
            "pending" => WebhookDeliveryStatus.Pending,
            "delivered" => WebhookDeliveryStatus.Delivered,
            "failed" => WebhookDeliveryStatus.Failed,
            _ => throw ApiErrors.Invalid($"status must be 'pending', 'delivered' or 'failed', not '{ApiErrors.Shorten(status)}'.", "status"),
        };
        await FindAsync(accountId, webhookId, cancellation);
        return await store.ListDeliveriesAsync(accountId, webhookId, page, wanted, cancellation);
    }

    /// <summary>Deletes a webhook; what was to be delivered to it is dropped.</summary>
    /// <exception cref="ApiException">404.</exception>
    public async Task DeleteAsync(string accountId, string webhookId, CancellationToken cancellation = default)
    {
        if (!await store.DeleteAsync(accountId, webhookId, cancellation))
        {
            throw ApiErrors.NotFound("webhook", webhookId);
        }
    }

    private static List<string>? ReadEvents(RequestObject request)
    {
        var events = request.Texts("events", WebhookEvents.All.Count, minCount: 1);
        foreach (var unknown in (events ?? []).Where(one => !WebhookEvents.All.Contains(one)))
        {
            request.Problems.Add("events", $"events may hold {string.Join(", ", WebhookEvents.All.Select(one => $"'{one}'"))}, not '{ApiErrors.Shorten(unknown)}'.");
        }

        return events?.Distinct().ToList();
    }

    // Names are looked up when an event is sent, on the very address that is connected to; here only what is plain to see is refused.
    private void CheckUrl(RequestObject request, string url)
    {
        if (url.Length == 0)
        {
            return;
        }

        if (FetchDataset.Problem(url) is { } problem)
        {
            request.Problems.Add("url", $"url {problem}.");
            return;
        }

        var uri = new Uri(url);
        if (allowPrivate)
        {
            return;
        }

        if (uri.Scheme != Uri.UriSchemeHttps)
        {
            request.Problems.Add("url", "url must be an https address.");
        }

        var isAddress = IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address);
        if ((isAddress && !PublicAddress.IsPublic(address!)) || uri.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || uri.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase))
        {
            request.Problems.Add("url", "url leads to a private or local address; events are sent to the public Internet only.", "private_address");
        }
    }

    private void RequireSecrets()
    {
        if (!signature.IsAvailable)
        {
            throw ApiErrors.Unavailable("Webhooks are not set up on this server: it has no LANGTRAIN_SIGNING_KEY to sign with.", TimeSpan.FromMinutes(10), "webhooks_unavailable");
        }
    }

    private async Task<Webhook> UpdateAsync(string accountId, string webhookId, Func<Webhook, Webhook> change, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var row = await FindAsync(accountId, webhookId, cancellation);
            try
            {
                return (await store.UpdateAsync(row, change(row.Value), cancellation)).Value;
            }
            catch (StaleWriteException) when (attempt < Tries)
            {
                // A delivery was counted meanwhile.
            }
        }
    }

    private async Task<Versioned<Webhook>> FindAsync(string accountId, string webhookId, CancellationToken cancellation) =>
        await store.FindAsync(accountId, webhookId, cancellation) ?? throw ApiErrors.NotFound("webhook", webhookId);
}
