using System.Text.Json;
using LangTrain.AzureAdapters;
using LangTrain.AzureAdapters.Telemetry;
using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Batches;
using LangTrain.Core.Datasets;
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
using LangTrain.Functions.Accounts;
using LangTrain.Functions.FineTunes;
using LangTrain.Functions.Middleware;
using LangTrain.Functions.Models;
using LangTrain.Functions.StartUp;
using LangTrain.Functions.Together;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace LangTrain.Functions;

/// <summary>Services and middleware of the app, the same for both of its hosts.</summary>
public static class FunctionsAppSetup
{
    /// <summary>Adds everything that the function classes need.</summary>
    /// <exception cref="InvalidOperationException">Settings are missing or wrong; all are named.</exception>
    public static IServiceCollection AddLangTrain(this IServiceCollection services, IConfiguration configuration)
    {
        var settings = LangTrainSettings.FromConfiguration(configuration);
        services.AddLangTrainAzureAdapters(settings.Adapters());
        services.AddLangTrainTelemetry(configuration.ReadTelemetry("langtrain-app"));
        services.AddLangTrainUseCases(settings);
        services.AddSingleton<PrepareApp>();
        return services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<PrepareApp>());
    }

    /// <summary>Adds the steps around every function, outermost first.</summary>
    public static IFunctionsWorkerApplicationBuilder UseLangTrainMiddleware(this IFunctionsWorkerApplicationBuilder builder) => builder
        .UseMiddleware<TraceMiddleware>()
        .UseMiddleware<RequestIdMiddleware>()
        .UseMiddleware<ErrorEnvelopeMiddleware>()
        .UseMiddleware<AuthenticationMiddleware>()
        .UseMiddleware<LimitsMiddleware>();

    /// <summary>Adds the domain; its ports come from elsewhere (the Azure adapters, or a test).</summary>
    internal static IServiceCollection AddLangTrainUseCases(this IServiceCollection services, LangTrainSettings settings)
    {
        // Both hosts read queue messages, activity inputs and durable payloads with these options.
        services.Configure<JsonSerializerOptions>(options => options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new StorageNames(settings.NamePrefix));
        services.AddSingleton(settings);
        services.AddSingleton(settings.ModelAliases);

        services.AddSingleton<ApiKeyAuthenticator>();
        services.AddSingleton<KeyEnds>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<BootstrapAccount>();
        services.AddSingleton<DashboardSignIn>();
        services.AddSingleton(provider => new EntraSignIn(
            provider.GetRequiredService<IAccountStore>(), provider.GetRequiredService<DashboardSignIn>(), settings.EntraTenantId, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<AccountDirectory>();
        services.AddSingleton(new DerivedSecrets(settings.SigningKey));
        services.AddSingleton<RequestLimiter>();
        services.AddSingleton<IdempotentRequests>();
        services.AddSingleton<UsageRecorder>();
        services.AddSingleton<SummarizeUsage>();
        services.AddSingleton<IHostedService, UsageFlushService>();

        services.AddSingleton<CheckpointModels>();
        services.AddSingleton<WebhookSignature>();
        services.AddSingleton<PublishWebhookEvent>();
        services.AddSingleton(provider => new WebhookSubscriptions(
            provider.GetRequiredService<IWebhookStore>(), provider.GetRequiredService<PublishWebhookEvent>(), provider.GetRequiredService<WebhookSignature>(),
            settings.AllowPrivateUrls, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new WebhookCall(
            GuardedHttp.CreateClient(settings.AllowPrivateUrls), provider.GetRequiredService<WebhookSignature>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<DeliverWebhook>();
        services.AddSingleton<TidyFineTune>();
        services.AddSingleton<FinishFineTune>();

        services.AddSingleton<ModelCatalog>();
        services.AddSingleton<ModelListAnswers>();
        services.AddSingleton<RegisterBaseModels>();
        services.AddSingleton<DeleteModel>();
        services.TryAddSingleton<BlobFolder>();
        services.AddSingleton<UploadModel>();
        services.AddSingleton<ExportModel>();
        services.AddSingleton<ModelArchives>();
        services.AddSingleton<SettleModelTask>();
        services.AddSingleton<QueueModelTask>();
        services.AddSingleton<UploadedFiles>();
        services.AddSingleton<UploadTickets>();
        services.AddSingleton<TogetherFiles>();
        services.AddSingleton<DeleteFile>();
        services.TryAddSingleton(settings.CompleteInRequestMegabytes is { } megabytes ? new UploadOptions { MostBytesInRequest = (long)megabytes << 20 } : new UploadOptions());
        services.AddSingleton<AssembleUpload>();
        services.AddSingleton<PartedUploads>();
        services.AddSingleton<CheckFile>();
        services.AddSingleton<CheckDataset>();

        services.AddSingleton(new FineTuneOptions());
        services.AddSingleton(new DatasetLimits());
        services.AddSingleton(provider => new FetchDataset(GuardedHttp.CreateClient(settings.AllowPrivateUrls), provider.GetRequiredService<DatasetLimits>()));
        services.AddSingleton<PrepareDataset>();
        services.AddSingleton<ChangeFineTune>();
        services.AddSingleton<StartAdapters>();
        services.AddSingleton<CheckFineTune>();
        services.AddSingleton<SubmitFineTune>();
        services.AddSingleton<EstimateFineTune>();
        services.AddSingleton<ControlFineTune>();
        services.AddSingleton<ListFineTunes>();
        services.AddSingleton<ReadFineTuneEvents>();
        services.AddSingleton<TogetherEvents>();
        services.AddSingleton<PrepareFineTune>();
        services.AddSingleton<QueueTraining>();
        services.AddSingleton<SettleFineTune>();
        services.AddSingleton<RegisterFineTunedModel>();
        services.AddSingleton<WriteResultFile>();
        services.AddSingleton<FailFineTune>();
        services.AddSingleton<SweepFineTunes>();
        services.AddSingleton<RelayEventSignature>();

        services.AddSingleton<CompleteText>();
        services.AddSingleton<CompleteChat>();
        services.AddSingleton<CountTokens>();

        services.AddSingleton(new BatchOptions());
        services.AddSingleton<BatchBlobs>();
        services.AddSingleton<SubmitBatch>();
        services.AddSingleton<CancelBatch>();
        services.AddSingleton<ValidateBatch>();
        services.AddSingleton<AnswerBatchLine>();
        services.AddSingleton<AnnounceBatchEnd>();
        services.AddSingleton<RunBatchChunk>();
        services.AddSingleton<FinishBatch>();
        services.AddSingleton<SweepBatches>();
        return services;
    }
}
