using System.Net;
using System.Net.Sockets;
using Azure.Data.Tables;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What the storage client throws at each kind of outage, by its own doing against a real socket.</summary>
public sealed class StorageOutageTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Storage_that_hangs_is_an_outage(int retries)
    {
        using var end = new CancellationTokenSource();
        await using var server = await LocalServer.StartAsync(context => Task.Delay(Timeout.Infinite, end.Token).ContinueWith(_ => { }, TaskScheduler.Default));
        var failure = await ReadAsync(server.Address, retries);
        await end.CancelAsync();
        Assert.True(StorageOutage.Is(failure), failure.ToString());
    }

    [Fact]
    public async Task Storage_that_nobody_listens_for_is_an_outage()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = new Uri($"http://{listener.LocalEndpoint}");
        listener.Stop();
        Assert.True(StorageOutage.Is(await ReadAsync(address)));
    }

    [Theory]
    [InlineData(429, true)]
    [InlineData(500, true)]
    [InlineData(503, true)]
    [InlineData(400, false)]
    [InlineData(403, false)]
    [InlineData(404, false)]
    [InlineData(412, false)]
    public async Task An_answer_says_which_it_is(int status, bool isOutage)
    {
        await using var server = await LocalServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        Assert.Equal(isOutage, StorageOutage.Is(await ReadAsync(server.Address)));
    }

    [Fact]
    public void A_mistake_of_ours_is_not_one() => Assert.False(StorageOutage.Is(new InvalidOperationException("x", new FormatException())));

    private static async Task<Exception> ReadAsync(Uri server, int retries = 0)
    {
        var options = new TableClientOptions
        {
            Retry = { MaxRetries = retries, NetworkTimeout = TimeSpan.FromMilliseconds(200), Delay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(1) },
        };
        // The emulator's well-known account; no request of it is ever checked here.
        var client = new TableServiceClient(new Uri(server, "devstoreaccount1"), new TableSharedKeyCredential("devstoreaccount1", Convert.ToBase64String(new byte[64])), options);
        return (await Record.ExceptionAsync(() => client.GetTableClient("rows").GetEntityAsync<TableEntity>("p", "r")))!;
    }
}
