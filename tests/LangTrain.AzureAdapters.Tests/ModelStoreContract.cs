using LangTrain.AzureAdapters.Tables;
using LangTrain.Core.Models;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IModelStore"/> does.</summary>
public abstract class ModelStoreContract
{
    protected abstract IModelStore Store { get; }

    [Theory]
    [InlineData("meta-llama/Llama-2-7b-hf")]
    [InlineData("ft:meta-llama/Llama-2-7b-hf:user-01:my model#1?:abc")]
    [InlineData("back\\slash'quote%2F\u0001 Ünïcode 模型!+,;=")]
    public async Task A_model_of_any_id_is_found_under_its_owner_only(string id)
    {
        var account = NewAccount();
        var model = Some.BaseModel(id) with { AccountId = account, Adapter = Some.Source("a/b"), Quantization = "nf4", StatusReason = "because" };
        await Store.UpsertAsync(model);

        Assert.Equal(model with { SupportedTasks = [] }, (await Store.FindAsync(account, id))! with { SupportedTasks = [] });
        Assert.Null(await Store.FindAsync(null, id));
        Assert.Null(await Store.FindAsync(NewAccount(), id));
        Assert.Equal([id], await Store.ListAsync(account).Select(m => m.Id).ToListAsync());
        Assert.True(await Store.DeleteAsync(account, id));
        Assert.False(await Store.DeleteAsync(account, id));
        Assert.Null(await Store.FindAsync(account, id));
    }

    [Fact]
    public async Task Ids_that_differ_only_in_escaped_characters_or_case_are_different_models()
    {
        var account = NewAccount();
        string[] ids = ["a/b", "a\\b", "a!2Fb", "a#b", "A/b", "a?b", "a b"];
        foreach (var id in ids)
        {
            await Store.UpsertAsync(Some.BaseModel(id) with { AccountId = account, Name = id });
        }

        Assert.Equal(ids.Order(StringComparer.Ordinal), (await Store.ListAsync(account).Select(m => m.Name).ToListAsync()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Base_models_stand_by_themselves_and_are_replaced_by_a_second_write()
    {
        await Store.UpsertAsync(Some.BaseModel("org/one") with { Status = "weights_missing" });
        await Store.UpsertAsync(Some.BaseModel("org/one"));
        await Store.UpsertAsync(Some.BaseModel("org/two") with { AccountId = NewAccount() });

        var one = Assert.Single(await Store.ListAsync(null).ToListAsync());
        Assert.Equal(("org/one", "ready"), (one.Id, one.Status));
    }

    [Fact]
    public async Task Many_models_are_all_listed()
    {
        var account = NewAccount();
        await Parallel.ForAsync(0, 60, async (i, stop) => await Store.UpsertAsync(Some.BaseModel($"m{i}") with { AccountId = account }, stop));

        Assert.Equal(60, (await Store.ListAsync(account).Select(m => m.Id).ToListAsync()).Distinct().Count());
    }

    private static string NewAccount() => "user-" + Guid.NewGuid().ToString("N");
}

public sealed class InMemoryModelStoreTests : ModelStoreContract
{
    protected override IModelStore Store { get; } = new InMemoryModelStore();
}

public sealed class TableModelStoreTests(AzuriteFixture azurite) : ModelStoreContract
{
    protected override IModelStore Store { get; } = NewStore(azurite.NewAccount());

    private static TableModelStore NewStore(StorageClients storage) => new(storage.Table(storage.Names.ModelsTable));
}
