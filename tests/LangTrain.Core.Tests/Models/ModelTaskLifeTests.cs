using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models.Tasks;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Models;

/// <summary>A model task's life over in-memory ports, with this process dying at every write in turn.</summary>
public sealed class ModelTaskLifeTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly InMemoryModelTaskStore _store = new();
    private readonly InMemoryModelStore _models = new();
    private readonly InMemoryBlobStore _blobs = new();
    private readonly InMemoryWorkQueue<TrainModelWorkItem> _queue = new(new ManualTimeProvider());

    [Theory]
    [InlineData(ModelTaskStatus.Succeeded)]
    [InlineData(ModelTaskStatus.Failed)]
    [InlineData(ModelTaskStatus.Cancelled)]
    public async Task An_ended_check_leaves_one_model_and_its_files_only_whichever_write_the_service_dies_at(ModelTaskStatus end)
    {
        for (var dieAt = 0; dieAt < 4; dieAt++)
        {
            var task = await EndedCheckAsync(end);
            var writes = 0;
            _store.BeforeWrite = () =>
            {
                if (writes++ == dieAt)
                {
                    throw new IOException("dead");
                }
            };
            try
            {
                await Settle().ExecuteAsync(task.Ref(), 1);
            }
            catch (IOException)
            {
                // And started again.
            }

            _store.BeforeWrite = null;
            Assert.Equal(ModelTaskStep.Done, (await Settle().ExecuteAsync(task.Ref(), 1)).Step);
            Assert.Null(await _store.FindAsync(task.Ref()));
            var model = await _models.FindAsync(task.AccountId, task.ModelId);
            Assert.Equal(end switch { ModelTaskStatus.Succeeded => "ready", ModelTaskStatus.Failed => "invalid", _ => null }, model?.Status);
            Assert.Equal(end == ModelTaskStatus.Succeeded ? [$"{task.OutputPrefix}2/manifest.json"] : Array.Empty<string>(), await NamesAsync("models"));
            // The upload goes, the owner's own file stays.
            Assert.Equal(["files/own"], await NamesAsync("datasets"));
            await _blobs.DeleteAsync("models", $"{task.OutputPrefix}2/manifest.json");
        }
    }

    [Fact]
    public async Task A_lost_worker_is_replaced_twice_and_then_the_check_fails()
    {
        var task = await CreateAsync(ModelTaskStatus.Queued);
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            Assert.Equal(ModelTaskStep.Queue, (await Settle().ExecuteAsync(task.Ref(), attempt - 1)).Step);
            Assert.Equal(attempt, await new QueueModelTask(_store, _queue).ExecuteAsync(task.Ref(), attempt - 1));
            Assert.Equal(ModelTaskStep.Wait, (await Settle().ExecuteAsync(task.Ref(), attempt)).Step);
            var row = (await _store.FindAsync(task.Ref()))!;
            await _store.UpdateAsync(row, row.Value with { Status = ModelTaskStatus.Running, Lease = new FineTuneLease(attempt, "w", _time.GetUtcNow().AddSeconds(30)) });
            Assert.Equal(ModelTaskStep.Wait, (await Settle().ExecuteAsync(task.Ref(), attempt)).Step);
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(ModelTaskStep.Done, (await Settle().ExecuteAsync(task.Ref(), 3)).Step);
        Assert.Equal("invalid", (await _models.FindAsync(task.AccountId, task.ModelId))!.Status);
        Assert.Equal(TrainModelWorkItem.ModelTask, (await _queue.ReceiveAsync(TimeSpan.FromMinutes(1)))!.Value.Kind);
    }

    private SettleModelTask Settle() => new(_store, _models, _blobs, new StorageNames(), new FineTuneOptions(), _time);

    private async Task<ModelTask> EndedCheckAsync(ModelTaskStatus end)
    {
        var task = await CreateAsync(end);
        await _models.UpsertAsync(task.Draft!);
        foreach (var (container, name) in new[] { ("models", $"{task.OutputPrefix}1/half"), ("models", $"{task.OutputPrefix}2/manifest.json"), ("datasets", "uploads/sent"), ("datasets", "files/own") })
        {
            await _blobs.WriteAsync(container, name, new MemoryStream([1]));
        }

        return task;
    }

    private async Task<ModelTask> CreateAsync(ModelTaskStatus status)
    {
        var task = new ModelTask
        {
            Id = Ids.New("mtask", TimeProvider.System),
            AccountId = Some.AccountId,
            Kind = ModelTaskKind.Check,
            ModelId = "custom/mine",
            Status = status,
            Draft = Some.BaseModel("custom/mine") with { AccountId = Some.AccountId, Status = "validating" },
            Uploads = [new UploadedModelFile("datasets", "uploads/sent", "model.zip", true), new UploadedModelFile("datasets", "files/own", "model.zip", false)],
            CreatedAt = Some.Moment,
        };
        task = status == ModelTaskStatus.Succeeded ? task with { Result = new ModelTaskResult { Prefix = task.OutputPrefix + "2", Revision = "r" } } : task;
        await _store.CreateAsync(task);
        return task;
    }

    private async Task<IEnumerable<string>> NamesAsync(string container) => (await _blobs.ListAsync(container, "").ToListAsync()).Select(blob => blob.Name);
}
