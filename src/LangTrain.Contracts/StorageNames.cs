namespace LangTrain.Contracts;

/// <summary>Names of the queues, tables and blob containers that the processes of LangTrain share.</summary>
/// <remarks>Immutable. A prefix keeps tests that share one storage account apart; production uses none.</remarks>
/// <param name="prefix">Letters and digits in lower case, beginning with a letter, at most 20; empty in production.</param>
public sealed class StorageNames(string prefix = "")
{
    /// <summary>Work for the training workers: <see cref="FineTunes.TrainModelWorkItem"/>.</summary>
    public string TrainingJobsQueue { get; } = Dashed(prefix, "training-jobs");

    /// <summary>What workers report to the orchestration: <see cref="FineTunes.FineTuneSignal"/>.</summary>
    public string TrainingEventsQueue { get; } = Dashed(prefix, "training-events");

    /// <summary>Webhook calls to make: <see cref="Webhooks.DeliverWebhookWorkItem"/>.</summary>
    public string WebhookDeliveriesQueue { get; } = Dashed(prefix, "webhook-deliveries");

    /// <summary>Keys whose connections are to be closed: <see cref="Accounts.EndKeyWorkItem"/>.</summary>
    public string KeyEndsQueue { get; } = Dashed(prefix, "key-ends");

    /// <summary>Accounts.</summary>
    public string UsersTable { get; } = prefix + "users";

    /// <summary>API keys, by the SHA-256 of the key.</summary>
    public string KeysTable { get; } = prefix + "keys";

    /// <summary>Fine-tunes.</summary>
    public string JobsTable { get; } = prefix + "jobs";

    /// <summary>Base models and the models of accounts.</summary>
    public string ModelsTable { get; } = prefix + "models";

    /// <summary>Checks of uploaded models, exports, deletions.</summary>
    public string ModelTasksTable { get; } = prefix + "modeltasks";

    /// <summary>Uploaded files.</summary>
    public string FilesTable { get; } = prefix + "files";

    /// <summary>Batches.</summary>
    public string BatchesTable { get; } = prefix + "batches";

    /// <summary>Files that come in parts.</summary>
    public string UploadsTable { get; } = prefix + "uploads";

    /// <summary>Usage counters and request limits.</summary>
    public string UsageTable { get; } = prefix + "usage";

    /// <summary>Stored answers of requests with an <c>Idempotency-Key</c>.</summary>
    public string IdempotencyTable { get; } = prefix + "idempotency";

    /// <summary>Webhooks of accounts.</summary>
    public string WebhooksTable { get; } = prefix + "webhooks";

    /// <summary>What was, or is to be, delivered to webhooks.</summary>
    public string WebhookDeliveriesTable { get; } = prefix + "webhookdeliveries";

    /// <summary>Uploaded files and prepared datasets.</summary>
    public string DatasetsContainer { get; } = Dashed(prefix, "datasets");

    /// <summary>Base models in Hugging Face layout, <c>org/name/…</c>, with <c>manifest.json</c> written last.</summary>
    public string BaseModelsContainer { get; } = Dashed(prefix, "base-models");

    /// <summary>Adapters and full weights made by fine-tunes, <c>account/job/…</c>, with <c>manifest.json</c> written last.</summary>
    public string ModelsContainer { get; } = Dashed(prefix, "models");

    /// <summary>Checkpoints, <c>account/job/step-N/…</c>, with <c>manifest.json</c> written last.</summary>
    public string CheckpointsContainer { get; } = Dashed(prefix, "checkpoints");

    /// <summary>Event logs of jobs, append blobs.</summary>
    public string EventsContainer { get; } = Dashed(prefix, "events");

    private static string Dashed(string prefix, string name) => prefix.Length == 0 ? name : prefix + "-" + name;
}
