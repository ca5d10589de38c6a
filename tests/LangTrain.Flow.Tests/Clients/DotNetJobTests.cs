using System.ClientModel;
using System.Text;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Files;
using OpenAI.FineTuning;
using OpenAI.Models;

namespace LangTrain.Flow.Tests.Clients;

/// <summary>Files, models and fine-tuning jobs through NuGet's <c>OpenAI</c>, unmodified.</summary>
[Collection(SharedHost.Collection)]
public sealed class DotNetJobTests(SharedHost shared)
{
    private ApiKeyCredential Key => new(shared.Host.ApiKey);

    [Fact]
    public async Task A_job_is_made_from_a_file_polled_told_and_its_model_chats()
    {
        var options = new OpenAIClientOptions { Endpoint = shared.Host.BaseUrl };
        var rows = string.Concat(TinyModel.Rows(16).Select(row => row.ToJsonString() + "\n"));
        var files = new OpenAIFileClient(Key, options);
        OpenAIFile file = await files.UploadFileAsync(BinaryData.FromString(rows), "rows.jsonl", FileUploadPurpose.FineTune);
        Assert.Equal((Encoding.UTF8.GetByteCount(rows), "rows.jsonl"), (file.SizeInBytes, file.Filename));

        var jobs = new FineTuningClient(Key, new FineTuningClientOptions { Endpoint = shared.Host.BaseUrl });
        var job = await jobs.FineTuneAsync(TinyModel.Id, file.Id, waitUntilCompleted: false, new FineTuningOptions
        {
            Suffix = "dotnet", Seed = 5, TrainingMethod = FineTuningTrainingMethod.CreateSupervised(epochCount: 2, batchSize: 4),
        });
        Assert.Equal((TinyModel.Id, file.Id, 5, "dotnet"), (job.BaseModel, job.TrainingFileId, job.Seed, job.UserProvidedSuffix));
        var patience = DateTime.UtcNow.AddMinutes(4);
        while (!job.HasCompleted && DateTime.UtcNow < patience)
        {
            await Task.Delay(300);
            await job.UpdateStatusAsync();
        }

        Assert.Equal(FineTuningStatus.Succeeded, job.Status);
        Assert.StartsWith("ft:", job.Value, StringComparison.Ordinal);
        Assert.Equal(job.JobId, (await jobs.GetJobAsync(job.JobId)).JobId);

        OpenAIFile results = await files.GetFileAsync(Assert.Single(job.ResultFileIds));
        Assert.Equal(FilePurpose.FineTuneResults, results.Purpose);
        BinaryData steps = await files.DownloadFileAsync(results.Id);
        var lines = steps.ToString().TrimEnd().Split('\n');
        Assert.StartsWith("step,train_loss,", lines[0], StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(1, 8).Select(step => $"{step}"), lines[1..].Select(line => line.Split(',')[0]));

        var events = new List<FineTuningEvent>();
        await foreach (var told in job.GetEventsAsync(new GetEventsOptions { PageSize = 5 }))
        {
            events.Add(told);
        }

        Assert.Equal(events.Count, events.DistinctBy(told => told.Id).Count());
        Assert.Contains(events, told => told.Message.StartsWith("Step ", StringComparison.Ordinal));

        var checkpoints = new List<FineTuningCheckpoint>();
        await foreach (var checkpoint in job.GetCheckpointsAsync())
        {
            checkpoints.Add(checkpoint);
        }

        Assert.All(checkpoints, checkpoint => Assert.Equal(job.JobId, checkpoint.JobId));
        Assert.NotEmpty(checkpoints);

        var found = new List<string>();
        await foreach (var one in jobs.GetJobsAsync(new FineTuningJobCollectionOptions { PageSize = 1 }))
        {
            found.Add(one.JobId);
        }

        Assert.Contains(job.JobId, found);

        ChatCompletion answer = await new ChatClient(job.Value, Key, options).CompleteChatAsync(
            [new UserChatMessage("What color is the sky?")], new ChatCompletionOptions { MaxOutputTokenCount = 8 });
        Assert.NotNull(answer.Content);

        var models = new OpenAIModelClient(Key, options);
        OpenAIModelCollection all = await models.GetModelsAsync();
        Assert.Contains(all, model => model.Id == job.Value);
        ModelDeletionResult gone = await models.DeleteModelAsync(job.Value);
        Assert.True(gone.Deleted);
    }
}
