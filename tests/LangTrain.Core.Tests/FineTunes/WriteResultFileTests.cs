using System.Text;
using System.Text.Json;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.FineTunes;

/// <summary>The file of a job's steps.</summary>
public sealed class WriteResultFileTests
{
    [Fact]
    public async Task Has_a_line_a_step_with_what_was_measured_last_and_is_one_file_however_often_it_is_written()
    {
        var (log, files, blobs) = (new InMemoryJobEventLog(), new InMemoryFileStore(), new InMemoryBlobStore());
        var job = Some.Job();
        await log.AppendAsync(job.Ref(),
        [
            Told("m1", JobEventTypes.Metrics, """{"step":1,"loss":2.5,"learning_rate":0.0002,"grad_norm":1.25}"""),
            Told("m2", JobEventTypes.Metrics, """{"step":2,"loss":9.0,"learning_rate":0.0001,"grad_norm":3}"""),
            Told("again", JobEventTypes.Metrics, """{"step":2,"loss":2.25,"learning_rate":0.0001,"grad_norm":1}"""),
            Told("e2", JobEventTypes.Eval, """{"step":2,"eval_loss":2.125,"token_accuracy":0.5}"""),
            // It went back and ended early, before it came to where it was.
            Told("m4", JobEventTypes.Metrics, """{"step":4,"loss":9,"learning_rate":0.0001,"grad_norm":1}"""),
            Told("e4", JobEventTypes.Eval, """{"step":4,"eval_loss":9,"token_accuracy":0}"""),
            Told("back", JobEventTypes.Rollback, """{"step":2,"rollbacks":1}"""),
        ]);
        var write = new WriteResultFile(log, files, blobs, new StorageNames(), new ManualTimeProvider());

        var id = await write.ExecuteAsync(job);
        await log.AppendAsync(job.Ref(), [Told("late", JobEventTypes.Metrics, """{"step":3,"loss":2,"learning_rate":0,"grad_norm":1}""")]);
        Assert.Equal(id, await write.ExecuteAsync(job));

        var file = (await files.FindAsync(job.AccountId, id))!;
        await using var content = (await blobs.OpenReadAsync(new StorageNames().DatasetsContainer, file.BlobName))!;
        using var reader = new StreamReader(content, Encoding.UTF8);
        var text = await reader.ReadToEndAsync();
        Assert.Equal(
            "step,train_loss,learning_rate,grad_norm,valid_loss,valid_mean_token_accuracy\n1,2.5,0.0002,1.25,,\n2,2.25,0.0001,1,2.125,0.5\n",
            text);
        Assert.Equal(file.Bytes, Encoding.UTF8.GetByteCount(text));
        Assert.Equal("fine-tune-results", file.Purpose);
    }

    private static JobEventDraft Told(string key, string type, string data) => new() { Key = key, Type = type, Timestamp = DateTimeOffset.UnixEpoch, Data = JsonElement.Parse(data) };
}
