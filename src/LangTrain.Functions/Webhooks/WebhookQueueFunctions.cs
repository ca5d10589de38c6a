using LangTrain.Contracts.Webhooks;
using LangTrain.Core.Webhooks;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Webhooks;

/// <summary>Sends events to webhooks. Attempts and pauses are the delivery's own; the queue's only repeat what storage failed in.</summary>
public sealed class WebhookQueueFunctions(DeliverWebhook deliver)
{
    /// <summary>One attempt.</summary>
    [Function("DeliverWebhook")]
    public Task DeliverAsync([QueueTrigger("webhook-deliveries")] DeliverWebhookWorkItem item, CancellationToken cancellation) =>
        deliver.ExecuteAsync(item, cancellation);
}
