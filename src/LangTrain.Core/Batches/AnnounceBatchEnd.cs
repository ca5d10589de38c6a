using System.Text.Json;
using LangTrain.Contracts;
using LangTrain.Core.Webhooks;

namespace LangTrain.Core.Batches;

/// <summary>Tells the owner's webhooks that a batch has ended. Thread-safe; twice tells once.</summary>
public sealed class AnnounceBatchEnd(PublishWebhookEvent webhooks)
{
    /// <summary>Tells it.</summary>
    /// <param name="batch">A batch that has ended.</param>
    /// <param name="cancellation">Stops it.</param>
    public Task ExecuteAsync(Batch batch, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var type = batch.Status switch
        {
            BatchStatus.Completed => WebhookEvents.BatchCompleted,
            BatchStatus.Failed => WebhookEvents.BatchFailed,
            BatchStatus.Expired => WebhookEvents.BatchExpired,
            BatchStatus.Cancelled => WebhookEvents.BatchCancelled,
            _ => throw new ArgumentException("The batch has not ended.", nameof(batch)),
        };
        return webhooks.ExecuteAsync(
            batch.AccountId, type, batch.EndedAt ?? batch.CreatedAt, batch.Id, JsonSerializer.SerializeToElement(batch.ToAnswer(), ApiJson.Wire.BatchAnswer), cancellation);
    }
}
