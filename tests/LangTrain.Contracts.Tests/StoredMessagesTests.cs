using System.Text.Json;
using LangTrain.Contracts.Accounts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Generation;
using LangTrain.Contracts.Webhooks;

namespace LangTrain.Contracts.Tests;

/// <summary>Messages as earlier versions wrote them stay readable, and new ones are written the same way.</summary>
public sealed class StoredMessagesTests
{
    private static readonly JsonSerializerOptions FunctionsHost = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    [Fact]
    public void A_work_item_reads_and_writes_as_in_version_0_1()
    {
        const string Stored = """{"account_id":"user-1","job_id":"ftjob-1","attempt":2,"trace_parent":"00-a-b-01"}""";

        var item = JsonSerializer.Deserialize(Stored, LangTrainJson.Default.TrainModelWorkItem)!;

        Assert.Equal(new TrainModelWorkItem("user-1", "ftjob-1", 2, "00-a-b-01"), item);
        Assert.Equal(Stored, JsonSerializer.Serialize(item, LangTrainJson.Default.TrainModelWorkItem));
    }

    [Fact]
    public void A_work_item_of_a_model_task_reads_and_writes_as_in_its_first_version()
    {
        const string Stored = """{"account_id":"user-1","job_id":"export-1","attempt":2,"kind":"model-task"}""";

        var item = JsonSerializer.Deserialize(Stored, LangTrainJson.Default.TrainModelWorkItem)!;

        Assert.Equal(new TrainModelWorkItem("user-1", "export-1", 2) { Kind = TrainModelWorkItem.ModelTask }, item);
        Assert.Equal(Stored, JsonSerializer.Serialize(item, LangTrainJson.Default.TrainModelWorkItem));
    }

    [Fact]
    public void A_webhook_call_reads_and_writes_as_in_its_first_version()
    {
        const string Stored = """{"account_id":"user-1","webhook_id":"wh-1","delivery_id":"msg-1","attempt":2}""";

        var item = JsonSerializer.Deserialize(Stored, LangTrainJson.Default.DeliverWebhookWorkItem)!;

        Assert.Equal(new DeliverWebhookWorkItem("user-1", "wh-1", "msg-1", 2), item);
        Assert.Equal(item, JsonSerializer.Deserialize<DeliverWebhookWorkItem>(Stored, FunctionsHost));
        Assert.Equal(Stored, JsonSerializer.Serialize(item, LangTrainJson.Default.DeliverWebhookWorkItem));
    }

    [Fact]
    public void The_end_of_a_key_reads_and_writes_as_in_its_first_version()
    {
        const string Stored = """{"account_id":"user-1","key_id":"key-1"}""";

        var item = JsonSerializer.Deserialize(Stored, LangTrainJson.Default.EndKeyWorkItem)!;

        Assert.Equal(new EndKeyWorkItem("user-1", "key-1"), item);
        Assert.Equal(item, JsonSerializer.Deserialize<EndKeyWorkItem>(Stored, FunctionsHost));
        Assert.Equal(Stored, JsonSerializer.Serialize(item, LangTrainJson.Default.EndKeyWorkItem));
    }

    [Theory]
    [InlineData("succeeded", FineTuneSignalKind.Succeeded)]
    [InlineData("failed", FineTuneSignalKind.Failed)]
    [InlineData("cancelled", FineTuneSignalKind.Cancelled)]
    [InlineData("paused", FineTuneSignalKind.Paused)]
    [InlineData("released", FineTuneSignalKind.Released)]
    [InlineData("control_requested", FineTuneSignalKind.ControlRequested)]
    public void A_signal_reads_the_same_by_the_worker_and_by_the_functions_host(string word, FineTuneSignalKind kind)
    {
        var stored = $$"""{"account_id":"user-1","job_id":"ftjob-1","kind":"{{word}}","attempt":1,"lease_token":3,"retryable":false}""";

        var byWorker = JsonSerializer.Deserialize(stored, LangTrainJson.Default.FineTuneSignal)!;
        var byHost = JsonSerializer.Deserialize<FineTuneSignal>(stored, FunctionsHost)!;

        Assert.Equal(byWorker, byHost);
        Assert.Equal(kind, byHost.Kind);
        Assert.Contains($"\"kind\":\"{word}\"", JsonSerializer.Serialize(byHost, LangTrainJson.Default.FineTuneSignal), StringComparison.Ordinal);
    }

    [Fact]
    public void A_generation_update_leaves_out_what_it_does_not_say()
    {
        var line = JsonSerializer.Serialize(new GenerationUpdate { Type = GenerationUpdate.TextPiece, Text = "a" }, LangTrainJson.Default.GenerationUpdate);

        Assert.Equal("""{"type":"text","index":0,"text":"a"}""", line);
    }

    [Fact]
    public void Names_with_a_prefix_are_legal_for_every_kind_of_storage()
    {
        var names = new StorageNames("t1");

        Assert.Equal("t1jobs", names.JobsTable);
        Assert.Equal("t1-training-jobs", names.TrainingJobsQueue);
        Assert.Equal("training-jobs", new StorageNames().TrainingJobsQueue);
    }
}
