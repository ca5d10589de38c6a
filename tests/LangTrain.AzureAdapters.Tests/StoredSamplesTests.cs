using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Queues;
using LangTrain.AzureAdapters.Blobs;
using LangTrain.AzureAdapters.Tables;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Batches;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Webhooks;
using LangTrain.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What earlier versions stored is read by this one.</summary>
public sealed class StoredSamplesTests(AzuriteFixture azurite)
{
    [Fact]
    public void A_job_of_the_first_version_is_read_whole()
    {
        var job = JsonRow.Read(Row("fine_tune.v1.json"), StoredJson.FineTune);

        Assert.Equal((FineTuneStatus.Running, FineTuneControl.Pause, 2, 7L), (job.Status, job.Requested, job.Attempt, job.Lease!.Token));
        Assert.Equal(("qlora", 4, 3, "completion"), (job.Config.Method, job.Config.LoraConfig.R, job.Config.TrainingConfig.Epochs, job.Config.TrainingConfig.LossOn));
        Assert.Equal(("red", "w", "status-4", 1.25), (job.Metadata["team"], job.Prepared!.Warnings[0], job.PendingEvents[0].Key, job.Progress.TrainLoss));
    }

    [Fact]
    public void What_a_row_does_not_say_has_its_default()
    {
        var job = JsonRow.Read(Row("fine_tune.sparse.json"), StoredJson.FineTune);

        Assert.Equal((FineTuneStatus.Created, FineTuneControl.None, 0), (job.Status, job.Requested, job.Attempt));
        Assert.Empty(job.Metadata);
        Assert.Empty(job.PendingEvents);
        Assert.Equal(new FineTuneProgress(), job.Progress);
        Assert.Equal(new TrainingConfig(), job.Config.TrainingConfig);
        Assert.Equal(("lora", 0.1, 16), (job.Config.Method, job.Config.Beta, job.Config.LoraConfig.R));
    }

    [Fact]
    public void What_a_newer_version_adds_is_passed_over()
    {
        var job = JsonRow.Read(Row("fine_tune.future.json"), StoredJson.FineTune);

        Assert.Equal((FineTuneStatus.Completed, 5, 4), (job.Status, job.Config.TrainingConfig.Epochs, job.Config.TrainingConfig.BatchSize));
    }

    [Fact]
    public void Rows_of_every_table_are_read()
    {
        Assert.Equal("nf4", JsonRow.Read(Row("stored_model.v1.json"), StoredJson.StoredModel).Quantization);
        var batch = JsonRow.Read(Row("batch.v1.json"), StoredJson.Batch);
        Assert.Equal((BatchStatus.InProgress, 2, 395, TimeSpan.FromHours(2)), (batch.Status, batch.NextChunk, batch.Ended.Completed, batch.OutputLifetime));
        Assert.Equal(12, JsonRow.Read(Row("stored_file.v1.json"), StoredJson.StoredFile).Bytes);
        Assert.Equal("pro", JsonRow.Read(Row("account.v1.json"), StoredJson.Account).Tier);
        Assert.Equal(["read", "train"], JsonRow.Read(Row("api_key.v1.json"), StoredJson.ApiKey).Scopes);
        Assert.Equal(200, JsonRow.Read(Row("idempotent_request.v1.json"), StoredJson.IdempotentRequest).Status);
        Assert.Equal(30, JsonRow.Read(Row("quota_counters.v1.json"), StoredJson.QuotaCounters).DayTaken);
        Assert.Equal((2, false), (JsonRow.Read(Row("webhook.v1.json"), StoredJson.Webhook).SecretVersion, JsonRow.Read(Row("webhook.v1.json"), StoredJson.Webhook).IsEnabled));
        Assert.Equal(WebhookDeliveryStatus.Delivered, JsonRow.Read(Row("webhook_delivery.v1.json"), StoredJson.WebhookDelivery).Status);
        Assert.Equal((false, false), (JsonRow.Read(Row("account.v1.json"), StoredJson.Account).IsOperator, JsonRow.Read(Row("account.v1.json"), StoredJson.Account).IsSuspended));
        Assert.Equal(0.5, JsonRow.Read(Row("usage_row.v1.json"), StoredJson.UsageRow).Amounts.TrainingSeconds);
    }

    [Fact]
    public async Task A_log_of_the_first_version_is_read_and_goes_on()
    {
        var container = new BlobContainerClient(azurite.ConnectionString, AzuriteFixture.UniqueName());
        await container.CreateAsync();
        var job = new FineTuneRef("user-01kf", "ftjob-1");
        var blob = container.GetAppendBlobClient("user-01kf/ftjob-1/events-00000.jsonl");
        await blob.CreateAsync();
        using var lines = new MemoryStream(await File.ReadAllBytesAsync(SamplePath("event_log.v1.jsonl")));
        await blob.AppendBlockAsync(lines);

        var log = new AppendBlobJobEventLog(new LazyResource<BlobContainerClient>(container, _ => Task.CompletedTask));
        var told = await log.AppendAsync(job, [Some.Event("metrics-1"), Some.Event("metrics-2")]);

        Assert.Equal(3, Assert.Single(told).Sequence);
        Assert.Equal(["status-1", "metrics-1", "metrics-2"], (await log.ReadAsync(job).ToListAsync()).Select(e => e.Key));
        Assert.True(await container.GetBlobClient("user-01kf/ftjob-1/events-00001.jsonl").ExistsAsync());
    }

    [Fact]
    public async Task Messages_of_the_first_version_are_received()
    {
        var storage = azurite.NewAccount();
        var signals = storage.Queue(storage.Names.TrainingEventsQueue, LangTrainJson.Default.FineTuneSignal, NullLogger.Instance);
        var work = storage.Queue(storage.Names.TrainingJobsQueue, LangTrainJson.Default.TrainModelWorkItem, NullLogger.Instance);
        await SendAsync(storage.Names.TrainingEventsQueue, "fine_tune_signal.v1.json");
        await SendAsync(storage.Names.TrainingJobsQueue, "train_model_work_item.v1.json");

        var signal = (await signals.ReceiveAsync(TimeSpan.FromMinutes(1)))!.Value;
        Assert.Equal((FineTuneSignalKind.Succeeded, 7L, "u/j/7"), (signal.Kind, signal.LeaseToken, signal.Outcome!.ArtifactPrefix));
        Assert.Equal(2, (await work.ReceiveAsync(TimeSpan.FromMinutes(1)))!.Value.Attempt);
    }

    private async Task SendAsync(string queue, string sample)
    {
        var client = new QueueClient(azurite.ConnectionString, queue);
        await client.CreateIfNotExistsAsync();
        await client.SendMessageAsync(Convert.ToBase64String(await File.ReadAllBytesAsync(SamplePath(sample))));
    }

    private static TableEntity Row(string sample) => new("p", "r") { [JsonRow.Body] = File.ReadAllText(SamplePath(sample)) };

    private static string SamplePath(string name) => Path.Combine(AppContext.BaseDirectory, "Samples", name);
}
