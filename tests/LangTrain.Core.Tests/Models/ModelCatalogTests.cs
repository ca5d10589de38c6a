using LangTrain.Core.Errors;
using LangTrain.Core.Models;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Models;

public sealed class ModelCatalogTests
{
    [Fact]
    public async Task A_model_in_use_is_remembered_for_a_moment_and_a_forgotten_one_is_gone_at_once()
    {
        var (store, time) = (new InMemoryModelStore(), new ManualTimeProvider());
        var catalog = new ModelCatalog(store, ModelAliases.None, time);
        var mine = Some.BaseModel("ft:mine") with { AccountId = Some.AccountId };
        await store.UpsertAsync(mine);
        await catalog.ResolveAsync(Some.AccountId, mine.Id);
        await store.DeleteAsync(Some.AccountId, mine.Id);

        Assert.Equal(mine.Id, (await catalog.ResolveAsync(Some.AccountId, mine.Id)).Model.Id);
        await Assert.ThrowsAsync<ApiException>(() => catalog.ResolveAsync("user-other", mine.Id));
        time.Advance(ModelCatalog.Freshness);
        await Assert.ThrowsAsync<ApiException>(() => catalog.ResolveAsync(Some.AccountId, mine.Id));

        await store.UpsertAsync(mine);
        await catalog.ResolveAsync(Some.AccountId, mine.Id);
        await store.DeleteAsync(Some.AccountId, mine.Id);
        catalog.Forget(Some.AccountId, mine.Id);
        await Assert.ThrowsAsync<ApiException>(() => catalog.ResolveAsync(Some.AccountId, mine.Id));
    }
}
