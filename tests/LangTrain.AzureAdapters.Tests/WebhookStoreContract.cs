using LangTrain.AzureAdapters.Tables;
using LangTrain.Core;
using LangTrain.Core.Storage;
using LangTrain.Core.Webhooks;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IWebhookStore"/> does.</summary>
public abstract class WebhookStoreContract
{
    protected abstract IWebhookStore Store { get; }

    [Fact]
    public async Task Webhooks_are_an_accounts_own_and_change_only_from_the_version_read()
    {
        var (first, second) = (Hook(1), Hook(2));
        await Store.CreateAsync(first);
        await Store.CreateAsync(second);
        await Assert.ThrowsAsync<AlreadyExistsException>(() => Store.CreateAsync(first));
        await Store.CreateAsync(first with { AccountId = "user-other" });

        var read = (await Store.FindAsync(first.AccountId, first.Id))!;
        await Store.UpdateAsync(read, first with { SecretVersion = 2 });
        await Assert.ThrowsAsync<StaleWriteException>(() => Store.UpdateAsync(read, first));
        Assert.Equal([(first.Id, 2), (second.Id, 1)], await Store.ListAsync(first.AccountId).Select(one => (one.Id, one.SecretVersion)).ToListAsync());

        Assert.True(await Store.DeleteAsync(first.AccountId, first.Id));
        Assert.False(await Store.DeleteAsync(first.AccountId, first.Id));
        Assert.NotNull(await Store.FindAsync("user-other", first.Id));
    }

    [Fact]
    public async Task Deliveries_are_a_webhooks_own_and_listed_by_status()
    {
        var hook = Hook(1);
        var (old, young) = (Delivery(hook, 1), Delivery(hook, 2));
        await Store.CreateDeliveryAsync(old);
        await Store.CreateDeliveryAsync(young);
        await Store.CreateDeliveryAsync(old with { WebhookId = "wh-other" });
        await Assert.ThrowsAsync<AlreadyExistsException>(() => Store.CreateDeliveryAsync(old));

        var read = (await Store.FindDeliveryAsync(hook.AccountId, hook.Id, old.Id))!;
        await Store.UpdateDeliveryAsync(read, old with { Status = WebhookDeliveryStatus.Failed, Attempts = 3 });
        await Assert.ThrowsAsync<StaleWriteException>(() => Store.UpdateDeliveryAsync(read, old));

        Assert.Equal([young.Id, old.Id], (await Store.ListDeliveriesAsync(hook.AccountId, hook.Id, new PageRequest())).Items.Select(one => one.Id));
        Assert.Equal([old.Id], (await Store.ListDeliveriesAsync(hook.AccountId, hook.Id, new PageRequest(), WebhookDeliveryStatus.Failed)).Items.Select(one => one.Id));
        Assert.Equal([young.Id], (await Store.ListDeliveriesAsync(hook.AccountId, hook.Id, new PageRequest(), WebhookDeliveryStatus.Pending)).Items.Select(one => one.Id));
        Assert.True(await Store.DeleteDeliveryAsync(hook.AccountId, hook.Id, old.Id));
        Assert.Null(await Store.FindDeliveryAsync(hook.AccountId, hook.Id, old.Id));
    }

    private static Webhook Hook(int second) => new()
    {
        Id = Ids.Derived("wh", Some.Moment.AddSeconds(second), Guid.NewGuid().ToString()), AccountId = Some.AccountId, Url = "https://example.com/", Events = ["fine_tune.completed"], CreatedAt = Some.Moment,
    };

    private static WebhookDelivery Delivery(Webhook hook, int second) => new()
    {
        Id = Ids.Derived("msg", Some.Moment.AddSeconds(second), hook.Id),
        AccountId = hook.AccountId,
        WebhookId = hook.Id,
        EventType = "fine_tune.completed",
        Payload = "{}",
        CreatedAt = Some.Moment.AddSeconds(second),
    };
}

public sealed class InMemoryWebhookStoreTests : WebhookStoreContract
{
    protected override IWebhookStore Store { get; } = new InMemoryWebhookStore();
}

public sealed class TableWebhookStoreTests : WebhookStoreContract
{
    public TableWebhookStoreTests(AzuriteFixture azurite)
    {
        var storage = azurite.NewAccount();
        Store = new TableWebhookStore(storage.Table(storage.Names.WebhooksTable), storage.Table(storage.Names.WebhookDeliveriesTable));
    }

    protected override IWebhookStore Store { get; }
}
