namespace LangTrain.Contracts.Webhooks;

/// <summary>Asks for one attempt to deliver an event to a webhook. All facts stand on the delivery's row; the message only names it.</summary>
/// <remarks>Delivered at least once; a message of an attempt that was made already is dropped.</remarks>
/// <param name="AccountId">Owner.</param>
/// <param name="WebhookId">The webhook.</param>
/// <param name="DeliveryId">The delivery; also the event's <c>webhook-id</c>.</param>
/// <param name="Attempt">Attempts made before this one.</param>
public sealed record DeliverWebhookWorkItem(string AccountId, string WebhookId, string DeliveryId, int Attempt);
