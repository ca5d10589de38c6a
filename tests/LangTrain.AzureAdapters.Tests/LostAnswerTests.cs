using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using LangTrain.AzureAdapters.Tables;
using LangTrain.Core.Limits;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>The answer to a taking gets lost on its way: it counts once, and gives back once.</summary>
public sealed class LostAnswerTests(AzuriteFixture azurite)
{
    private static readonly DateTimeOffset Minute = new(2026, 1, 2, 3, 4, 0, TimeSpan.Zero), Day = new(2026, 1, 2, 0, 0, 0, TimeSpan.Zero);

    private readonly StorageClients _storage = azurite.NewAccount();

    [Fact]
    public async Task A_taking_whose_answer_is_lost_is_known_by_its_row()
    {
        var transport = new LossyTransport();
        var store = Store(transport);
        await store.TakeAsync(Some.AccountId, Demand(want: 10));
        transport.LoseNext();

        Assert.Equal(new QuotaGrant(5, 15, 10), await store.TakeAsync(Some.AccountId, Demand(want: 5) with { ReturnToDay = 5 }));
        Assert.Equal(11, (await Store().TakeAsync(Some.AccountId, Demand(want: 1))).DayTaken);
    }

    [Fact]
    public async Task What_was_given_back_is_not_given_back_again_when_another_instance_has_written_since()
    {
        var transport = new LossyTransport();
        var store = Store(transport);
        await store.TakeAsync(Some.AccountId, Demand(want: 10));
        transport.LoseNext(() => Store().TakeAsync(Some.AccountId, Demand(want: 1)));

        // 10, then 5 back and 5 taken by the lost one, 1 by the other, and 5 again: nobody was told of the first 5.
        Assert.Equal(new QuotaGrant(5, 21, 16), await store.TakeAsync(Some.AccountId, Demand(want: 5) with { ReturnToDay = 5 }));
    }

    private static QuotaDemand Demand(long want) => new(Minute, 100, Day, 150, want);

    private TableRequestQuotaStore Store(LossyTransport? transport = null)
    {
        var (table, once) = (_storage.Table(_storage.Names.UsageTable), _storage.TableOnce(_storage.Names.UsageTable));
        if (transport is not null)
        {
            var options = new TableClientOptions { Transport = transport, Retry = { MaxRetries = 0 } };
            var client = new TableServiceClient(azurite.ConnectionString, options).GetTableClient(_storage.Names.UsageTable);
            once = new LazyResource<TableClient>(client, _ => table.GetAsync(CancellationToken.None).AsTask());
        }

        return new TableRequestQuotaStore(table, once);
    }

    /// <summary>Sends everything, and loses the answer of the next write.</summary>
    private sealed class LossyTransport : HttpPipelineTransport
    {
        private readonly HttpPipelineTransport _inner = HttpClientTransport.Shared;
        private Func<Task>? _lose;

        public void LoseNext(Func<Task>? meanwhile = null) => _lose = meanwhile ?? (() => Task.CompletedTask);

        public override Request CreateRequest() => _inner.CreateRequest();

        public override void Process(HttpMessage message) => throw new NotSupportedException();

        public override async ValueTask ProcessAsync(HttpMessage message)
        {
            await _inner.ProcessAsync(message);
            if (message.Request.Method != RequestMethod.Get && Interlocked.Exchange(ref _lose, null) is { } meanwhile)
            {
                await meanwhile();
                throw new IOException("The connection broke off.");
            }
        }
    }
}
