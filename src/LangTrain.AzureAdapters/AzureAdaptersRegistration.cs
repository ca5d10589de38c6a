using LangTrain.AzureAdapters.Blobs;
using LangTrain.AzureAdapters.Tables;
using LangTrain.AzureAdapters.WebPubSub;
using LangTrain.AzureAdapters.Worker;
using LangTrain.Contracts;
using LangTrain.Contracts.Accounts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Webhooks;
using LangTrain.Core.Accounts;
using LangTrain.Core.Batches;
using LangTrain.Core.Files;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Generation;
using LangTrain.Core.Idempotency;
using LangTrain.Core.Limits;
using LangTrain.Core.Models;
using LangTrain.Core.Models.Tasks;
using LangTrain.Core.Storage;
using LangTrain.Core.Usage;
using LangTrain.Core.Webhooks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace LangTrain.AzureAdapters;

/// <summary>Adds the ports on Azure Storage, Web PubSub and the workers' API.</summary>
public static class AzureAdaptersRegistration
{
    /// <summary>Adds every adapter, one of each a process. Nothing is contacted before its first use.</summary>
    public static IServiceCollection AddLangTrainAzureAdapters(this IServiceCollection services, AzureAdaptersOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(_ => new StorageClients(options));
        services.TryAddSingleton(provider => provider.GetRequiredService<StorageClients>().Names);

        services.AddSingleton<IFineTuneStore>(p => new TableFineTuneStore(Table(p, names => names.JobsTable), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IModelTaskStore>(p => new TableModelTaskStore(Table(p, names => names.ModelTasksTable), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IModelStore>(p => new RecentModelLists(new TableModelStore(Table(p, names => names.ModelsTable)), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IFileStore>(p => new TableFileStore(Table(p, names => names.FilesTable)));
        services.AddSingleton<IBatchStore>(p => new TableBatchStore(Table(p, names => names.BatchesTable), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IUploadStore>(p => new TableUploadStore(Table(p, names => names.UploadsTable)));
        services.AddSingleton<IAccountStore>(p => new TableAccountStore(Table(p, names => names.UsersTable), Table(p, names => names.KeysTable)));
        services.AddSingleton<IIdempotencyStore>(p => new TableIdempotencyStore(Table(p, names => names.IdempotencyTable)));
        services.AddSingleton<IRequestQuotaStore>(p =>
        {
            var clients = p.GetRequiredService<StorageClients>();
            return new TableRequestQuotaStore(clients.Table(clients.Names.UsageTable), clients.TableOnce(clients.Names.UsageTable));
        });
        services.AddSingleton<IUsageStore>(p => new TableUsageStore(Table(p, names => names.UsageTable)));
        services.AddSingleton<IWebhookStore>(p => new TableWebhookStore(Table(p, names => names.WebhooksTable), Table(p, names => names.WebhookDeliveriesTable)));
        services.AddSingleton<IBlobStore>(p => new AzureBlobStore(p.GetRequiredService<StorageClients>().Blobs));
        services.AddSingleton<IBlobLinks>(p => new AzureBlobLinks(p.GetRequiredService<StorageClients>().Blobs, p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<BlobFolder>();
        services.AddSingleton<IJobEventLog>(p =>
        {
            var clients = p.GetRequiredService<StorageClients>();
            return new AppendBlobJobEventLog(clients.Container(clients.Names.EventsContainer));
        });
        // However often it was received: what becomes of an attempt is counted on the job's row. A message that went while the row could not be
        // claimed (storage that answers in part) would leave a job queued for which no worker is ever told again.
        services.AddSingleton<IWorkQueue<TrainModelWorkItem>>(p => p.GetRequiredService<StorageClients>().Queue(
            p.GetRequiredService<StorageNames>().TrainingJobsQueue, LangTrainJson.Default.TrainModelWorkItem, p.GetRequiredService<ILogger<StorageClients>>(), int.MaxValue));
        services.AddSingleton<IWorkQueue<FineTuneSignal>>(p => p.GetRequiredService<StorageClients>().Queue(
            p.GetRequiredService<StorageNames>().TrainingEventsQueue, LangTrainJson.Default.FineTuneSignal, p.GetRequiredService<ILogger<StorageClients>>()));

        services.AddSingleton<IWorkQueue<DeliverWebhookWorkItem>>(p => p.GetRequiredService<StorageClients>().Queue(
            p.GetRequiredService<StorageNames>().WebhookDeliveriesQueue, LangTrainJson.Default.DeliverWebhookWorkItem, p.GetRequiredService<ILogger<StorageClients>>()));
        services.AddSingleton<IWorkQueue<EndKeyWorkItem>>(p => p.GetRequiredService<StorageClients>().Queue(
            p.GetRequiredService<StorageNames>().KeyEndsQueue, LangTrainJson.Default.EndKeyWorkItem, p.GetRequiredService<ILogger<StorageClients>>()));

        if (options.WebPubSubConnectionString is null && options.WebPubSubEndpoint is null)
        {
            services.AddSingleton<IJobRelay, NoRelay>();
        }
        else
        {
            services.AddSingleton<IJobRelay>(p => new WebPubSubRelay(
                new WebPubSubService(
                    options.WebPubSubConnectionString, options.WebPubSubEndpoint,
                    options.WebPubSubConnectionString is null ? StorageClients.CredentialOf(options) : null,
                    options.WebPubSubHub, p.GetRequiredService<TimeProvider>()),
                p.GetRequiredService<IJobEventLog>(), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<WebPubSubRelay>>()));
        }

        services.AddSingleton(_ => new HttpGenerationWorker(options.WorkerUri, options.WorkerKey));
        services.AddSingleton<IGenerationWorker>(provider => provider.GetRequiredService<HttpGenerationWorker>());
        services.AddSingleton<ITrainingWorker>(provider => provider.GetRequiredService<HttpGenerationWorker>());
        return services;
    }

    private static LazyResource<Azure.Data.Tables.TableClient> Table(IServiceProvider provider, Func<StorageNames, string> name)
    {
        var clients = provider.GetRequiredService<StorageClients>();
        return clients.Table(name(clients.Names));
    }
}
