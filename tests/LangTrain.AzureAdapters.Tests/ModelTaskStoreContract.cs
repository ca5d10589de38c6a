using LangTrain.AzureAdapters.Tables;
using LangTrain.Core;
using LangTrain.Core.Models.Tasks;
using LangTrain.Core.Storage;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IModelTaskStore"/> does.</summary>
public abstract class ModelTaskStoreContract
{
    private readonly string _account = "user-" + Guid.NewGuid().ToString("N");

    protected abstract IModelTaskStore Store { get; }

    [Fact]
    public async Task A_task_is_active_until_it_is_settled_and_again_when_it_is_not()
    {
        var task = new ModelTask
        {
            Id = Ids.New("mtask", TimeProvider.System), AccountId = _account, Kind = ModelTaskKind.Check, ModelId = "custom/a b", CreatedAt = Some.Moment,
            Draft = Some.BaseModel("custom/a b"), Uploads = [new UploadedModelFile("datasets", "x", "model.zip", true)], Places = [new BlobPlace("models", "p/")],
        };
        await Store.CreateAsync(task);
        await Assert.ThrowsAsync<AlreadyExistsException>(() => Store.CreateAsync(task));
        var row = (await Store.FindAsync(task.Ref()))!;
        Assert.Equivalent(task, row.Value, strict: true);
        Assert.Equal([task.Ref()], await ActiveAsync());

        var settled = await Store.UpdateAsync(row, task with { IsSettled = true, Status = ModelTaskStatus.Failed });
        await Assert.ThrowsAsync<StaleWriteException>(() => Store.UpdateAsync(row, task));
        Assert.Empty(await ActiveAsync());
        var again = await Store.UpdateAsync(settled, task with { Attempt = 2 });
        Assert.Equal([task.Ref()], await ActiveAsync());
        Assert.Equal(2, Assert.Single(await Store.ListAsync(_account).ToListAsync()).Attempt);

        await Assert.ThrowsAsync<StaleWriteException>(() => Store.DeleteAsync(settled));
        await Store.DeleteAsync(again);
        await Store.DeleteAsync(again);
        Assert.Null(await Store.FindAsync(task.Ref()));
        Assert.Empty(await ActiveAsync());
    }

    private async Task<IEnumerable<Contracts.Models.ModelTaskRef>> ActiveAsync() => (await Store.ListActiveAsync().ToListAsync()).Where(task => task.AccountId == _account);
}

public sealed class InMemoryModelTaskStoreTests : ModelTaskStoreContract
{
    protected override IModelTaskStore Store { get; } = new InMemoryModelTaskStore();
}

public sealed class TableModelTaskStoreTests(AzuriteFixture azurite) : ModelTaskStoreContract
{
    protected override IModelTaskStore Store { get; } = NewStore(azurite.NewAccount());

    private static TableModelTaskStore NewStore(StorageClients storage) => new(storage.Table(storage.Names.ModelTasksTable), TimeProvider.System);
}
