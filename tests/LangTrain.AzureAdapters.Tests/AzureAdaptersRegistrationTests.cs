using LangTrain.AzureAdapters.WebPubSub;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Accounts;
using LangTrain.Core.Files;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Generation;
using LangTrain.Core.Idempotency;
using LangTrain.Core.Limits;
using LangTrain.Core.Models;
using LangTrain.Core.Storage;
using LangTrain.Core.Usage;
using LangTrain.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace LangTrain.AzureAdapters.Tests;

public sealed class AzureAdaptersRegistrationTests(AzuriteFixture azurite)
{
    [Fact]
    public void Every_port_is_there_by_connection_string_and_by_identity()
    {
        AzureAdaptersOptions[] ways =
        [
            new()
            {
                StorageConnectionString = azurite.ConnectionString,
                WebPubSubConnectionString = "Endpoint=http://localhost;Port=8123;AccessKey=0123456789012345678901234567890123456789;Version=1.0;",
            },
            new() { StorageAccountName = "account", WebPubSubEndpoint = new Uri("https://hub.webpubsub.azure.com"), ManagedIdentityClientId = Guid.NewGuid().ToString() },
        ];
        foreach (var options in ways)
        {
            using var provider = Provider(options);
            foreach (var port in (Type[])
                [
                    typeof(IFineTuneStore), typeof(IModelStore), typeof(IFileStore), typeof(IAccountStore), typeof(IBlobStore), typeof(IJobEventLog),
                    typeof(IWorkQueue<TrainModelWorkItem>), typeof(IWorkQueue<FineTuneSignal>), typeof(IGenerationWorker), typeof(IIdempotencyStore),
                    typeof(IRequestQuotaStore), typeof(IUsageStore), typeof(BlobFolder), typeof(StorageNames),
                ])
            {
                Assert.Same(provider.GetRequiredService(port), provider.GetRequiredService(port));
            }

            Assert.IsType<WebPubSubRelay>(provider.GetRequiredService<IJobRelay>());
        }
    }

    [Fact]
    public async Task Without_web_pub_sub_events_are_only_logged_and_a_stream_says_why_not()
    {
        await using var provider = Provider(new AzureAdaptersOptions { StorageConnectionString = azurite.ConnectionString });
        var relay = provider.GetRequiredService<IJobRelay>();
        relay.Publish(Some.Job().Ref(), []);

        await Assert.ThrowsAsync<RelayUnavailableException>(() => relay.CreateClientUrlAsync(new JobStreamUser(Some.Job().Ref(), "key-1"), TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public void No_storage_account_says_so()
    {
        using var provider = Provider(new AzureAdaptersOptions());

        Assert.Contains("No storage account", Assert.Throws<InvalidOperationException>(provider.GetRequiredService<IFineTuneStore>).Message, StringComparison.Ordinal);
    }

    private static ServiceProvider Provider(AzureAdaptersOptions options)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddLangTrainAzureAdapters(options);
        return services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true });
    }
}
