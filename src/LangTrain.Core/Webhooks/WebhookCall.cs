using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using LangTrain.Core.Datasets;

namespace LangTrain.Core.Webhooks;

/// <summary>What became of a call to a webhook.</summary>
/// <param name="IsDelivered">Whether the other side took the event (2xx).</param>
/// <param name="StatusCode">Its status, or null where no answer came.</param>
/// <param name="Problem">What was wrong, for the owner; never anything of the answer's body.</param>
/// <param name="IsForGood">Whether trying again is of no use.</param>
/// <param name="RetryAfter">When the other side wants to be asked again, or null.</param>
public sealed record WebhookOutcome(bool IsDelivered, int? StatusCode, string? Problem = null, bool IsForGood = false, TimeSpan? RetryAfter = null);

/// <summary>Calls a webhook once. Thread-safe.</summary>
/// <remarks>
/// The client opens no connection to a private address and follows no redirect (<see cref="GuardedHttp"/>). Of the answer only the status is looked at; its
/// body is not read.
/// </remarks>
public sealed class WebhookCall(HttpClient client, WebhookSignature signature, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Sends an event.</summary>
    public async Task<WebhookOutcome> ExecuteAsync(Webhook webhook, WebhookDelivery delivery, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(webhook);
        ArgumentNullException.ThrowIfNull(delivery);
        var at = time.GetUtcNow();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(webhook.Url));
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(delivery.Payload));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("webhook-id", delivery.Id);
        request.Headers.Add("webhook-timestamp", at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", signature.Sign(webhook, delivery.Id, at, delivery.Payload));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            return Judge(response);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new WebhookOutcome(false, null, $"No answer came within {Patience.TotalSeconds:0} seconds.");
        }
        catch (HttpRequestException failure)
        {
            return FetchDataset.FindPrivate(failure)
                ? new WebhookOutcome(false, null, "The address is private or local; events are sent to the public Internet only.")
                : new WebhookOutcome(false, null, $"The receiver could not be reached: {FetchDataset.Reason(failure)}.");
        }
    }

    private WebhookOutcome Judge(HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        return status is >= 200 and < 300
            ? new WebhookOutcome(true, status)
            : new WebhookOutcome(
                false,
                status,
                status is >= 300 and < 400 ? $"The receiver answered {status}; redirects are not followed." : $"The receiver answered {status}.",
                IsForGood: status == 410,
                RetryAfter: response.Headers.RetryAfter is { } after ? after.Delta ?? (after.Date - time.GetUtcNow()) : null);
    }
}
