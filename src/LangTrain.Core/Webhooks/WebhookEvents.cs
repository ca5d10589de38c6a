namespace LangTrain.Core.Webhooks;

/// <summary>The events that webhooks can be told.</summary>
public static class WebhookEvents
{
    /// <summary>A fine-tune has ended well: <c>fine_tune.completed</c>.</summary>
    public const string FineTuneCompleted = "fine_tune.completed";

    /// <summary>A fine-tune has ended with an error: <c>fine_tune.failed</c>.</summary>
    public const string FineTuneFailed = "fine_tune.failed";

    /// <summary>A fine-tune was cancelled: <c>fine_tune.cancelled</c>.</summary>
    public const string FineTuneCancelled = "fine_tune.cancelled";

    /// <summary>A batch has been worked through: <c>batch.completed</c>.</summary>
    public const string BatchCompleted = "batch.completed";

    /// <summary>A batch's file is no good, or the service could not go on with it: <c>batch.failed</c>.</summary>
    public const string BatchFailed = "batch.failed";

    /// <summary>A batch's time ran out: <c>batch.expired</c>.</summary>
    public const string BatchExpired = "batch.expired";

    /// <summary>A batch was cancelled: <c>batch.cancelled</c>.</summary>
    public const string BatchCancelled = "batch.cancelled";

    /// <summary>Asked for by the owner, to try a webhook: <c>webhook.test</c>. Sent whatever the webhook subscribes to.</summary>
    public const string Test = "webhook.test";

    /// <summary>All to which a webhook can subscribe.</summary>
    public static IReadOnlyList<string> All { get; } = 
    [
        FineTuneCompleted, FineTuneFailed, FineTuneCancelled, BatchCompleted, BatchFailed, BatchExpired, BatchCancelled,
    ];
}
