using System.Net.WebSockets;
using System.Text.Json;
using LangTrain.AzureAdapters;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.LocalHost.Relay;
using LangTrain.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LangTrain.LocalHost.Tests.Relay;

/// <summary>The product's relay and a plain WebSocket client meet over the Web PubSub stand-in.</summary>
public sealed class RelayWithStandInTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task A_plain_client_hears_its_jobs_events_as_they_are_published_and_nobody_elses_until_its_key_ends()
    {
        var probe = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        probe.Start();
        var endpoint = new Uri($"http://127.0.0.1:{((System.Net.IPEndPoint)probe.LocalEndpoint).Port}");
        probe.Stop();
        var options = new RelayOptions(endpoint, "a-key-of-the-stand-in-0123456789abcdef", null);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(endpoint.AbsoluteUri);
        builder.Services.AddSingleton(options).AddSingleton(TimeProvider.System).AddSingleton<HttpClient>()
            .AddSingleton<RelayHubs>().AddSingleton<RelayUpstream>().AddSingleton<RelayClientEndpoint>().AddSingleton<RelayServerEndpoints>();
        await using var standIn = builder.Build();
        standIn.UseWebSockets();
        standIn.Services.GetRequiredService<RelayServerEndpoints>().Map(standIn);
        await standIn.StartAsync();

        var services = new ServiceCollection();
        services.AddLogging();
        services.AddLangTrainAzureAdapters(new AzureAdaptersOptions
        {
            StorageConnectionString = azurite.ConnectionString, NamePrefix = AzuriteFixture.UniqueName()[..16], WebPubSubConnectionString = options.ConnectionString,
        });
        await using var provider = services.BuildServiceProvider();
        var (relay, log) = (provider.GetRequiredService<IJobRelay>(), provider.GetRequiredService<IJobEventLog>());
        FineTuneRef mine = new("user-a", "ftjob-1"), other = new("user-b", "ftjob-1");

        using var client = new ClientWebSocket();
        await client.ConnectAsync(await relay.CreateClientUrlAsync(new JobStreamUser(mine, "key-1"), TimeSpan.FromMinutes(1)), CancellationToken.None);
        relay.Publish(other, await log.AppendAsync(other, [Draft("other")]));
        relay.Publish(mine, await log.AppendAsync(mine, [Draft("first"), Draft("second")]));

        Assert.Equal(("log", 1, "first"), await ReceiveAsync(client));
        Assert.Equal(("log", 2, "second"), await ReceiveAsync(client));

        using var otherKey = new ClientWebSocket();
        await otherKey.ConnectAsync(await relay.CreateClientUrlAsync(new JobStreamUser(mine, "key-2"), TimeSpan.FromMinutes(1)), CancellationToken.None);
        await relay.DisconnectKeyAsync(mine.AccountId, "key-1");
        Assert.Equal(WebSocketMessageType.Close, (await client.ReceiveAsync(new byte[100], CancellationToken.None)).MessageType);
        relay.Publish(mine, await log.AppendAsync(mine, [Draft("third")]));
        Assert.Equal(("log", 3, "third"), await ReceiveAsync(otherKey));
        await standIn.StopAsync();
    }

    private static JobEventDraft Draft(string text) =>
        new() { Key = text, Type = JobEventTypes.Log, Timestamp = TimeProvider.System.GetUtcNow(), Message = text, Level = "info" };

    private static async Task<(string? Type, int Sequence, string? Message)> ReceiveAsync(ClientWebSocket client)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var buffer = new byte[4096];
        var frame = await client.ReceiveAsync(buffer, patience.Token);
        var message = JsonDocument.Parse(buffer.AsMemory(0, frame.Count)).RootElement;
        return (message.GetProperty("type").GetString(), message.GetProperty("sequence").GetInt32(), message.GetProperty("message").GetString());
    }
}
