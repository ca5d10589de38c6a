using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
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
using LangTrain.Functions.OpenApi;
using LangTrain.LocalHost.Hosting;
using LangTrain.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LangTrain.Functions.Tests.Hosting;

/// <summary>The HTTP functions of the app in LocalHost's function host, on a port of the system's choice, over in-memory ports.</summary>
internal sealed class TestApp : IAsyncDisposable
{
    public const string Key = "lt-test-key-of-the-first-account";

    // Read once: the functions are the same in every test.
    private static readonly Lazy<FunctionCatalog> Catalog = new(() => FunctionCatalog.Of(FunctionTypes()));

    // As the app itself gives it.
    private static readonly Lazy<AnswerContract> Contract = new(() => new AnswerContract(JsonNode.Parse(OpenApiDocument.Utf8.Span)!.AsObject()));

    private readonly WebApplication _app;

    private TestApp(WebApplication app, ScriptedGenerationWorker worker, InMemoryModelStore models, InMemoryAccountStore accounts)
    {
        (_app, Worker, Models, Accounts) = (app, worker, models, accounts);
        BaseAddress = new Uri(app.Urls.First() + "/v1/");
        Client = ClientWith(Key);
    }

    public ScriptedGenerationWorker Worker { get; }

    public InMemoryModelStore Models { get; }

    public InMemoryAccountStore Accounts { get; }

    public Uri BaseAddress { get; }

    /// <summary>Calls as the first account, with every scope.</summary>
    public HttpClient Client { get; }

    public T Service<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public static async Task<TestApp> StartAsync(string tier = "enterprise", Action<IServiceCollection>? change = null, LangTrainSettings? settings = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null); // as LocalHost has it
        var (worker, models, accounts) = (new ScriptedGenerationWorker(), new InMemoryModelStore(), new InMemoryAccountStore());
        builder.Services.AddSingleton<IGenerationWorker>(worker);
        builder.Services.AddSingleton<IModelStore>(models);
        builder.Services.AddSingleton<IAccountStore>(accounts);
        builder.Services.AddSingleton<IFileStore, InMemoryFileStore>();
        builder.Services.AddSingleton<IBlobStore, InMemoryBlobStore>();
        builder.Services.AddSingleton<IUploadStore, InMemoryUploadStore>();
        builder.Services.AddSingleton<IModelTaskStore, InMemoryModelTaskStore>();
        builder.Services.AddSingleton<IBlobLinks, InMemoryBlobLinks>();
        builder.Services.AddSingleton<IRequestQuotaStore, InMemoryRequestQuotaStore>();
        builder.Services.AddSingleton<IIdempotencyStore, InMemoryIdempotencyStore>();
        builder.Services.AddSingleton<IUsageStore, InMemoryUsageStore>();
        builder.Services.AddSingleton<IWebhookStore, InMemoryWebhookStore>();
        builder.Services.AddSingleton<IWorkQueue<DeliverWebhookWorkItem>>(new InMemoryWorkQueue<DeliverWebhookWorkItem>());
        builder.Services.AddSingleton<IWorkQueue<EndKeyWorkItem>>(new InMemoryWorkQueue<EndKeyWorkItem>());
        builder.Services.AddSingleton<IFineTuneStore, InMemoryFineTuneStore>();
        builder.Services.AddSingleton<IBatchStore, InMemoryBatchStore>();
        builder.Services.AddSingleton<IJobEventLog, InMemoryJobEventLog>();
        builder.Services.AddSingleton<IJobRelay, RecordingRelay>();
        builder.Services.AddSingleton<IWorkQueue<TrainModelWorkItem>>(new InMemoryWorkQueue<TrainModelWorkItem>());
        builder.Services.AddSingleton<ITrainingWorker, ReckoningTrainingWorker>();
        builder.Services.AddSingleton<DurableTaskClient, RecordingDurableTaskClient>();
        change?.Invoke(builder.Services);
        builder.Services.AddLangTrainUseCases(settings ?? new LangTrainSettings { SigningKey = "a secret of this installation, for tests" });

        var pipeline = new FunctionPipeline(builder.Services);
        pipeline.UseLangTrainMiddleware();
        builder.Services.AddSingleton(pipeline);
        builder.Services.AddSingleton(new RequestGate(new HostJson()));
        builder.Services.AddSingleton<HttpFunctionEndpoints>();
        var app = builder.Build();
        app.Services.GetRequiredService<HttpFunctionEndpoints>().Map(app, Catalog.Value, "v1");
        await app.StartAsync();
        await app.Services.GetRequiredService<BootstrapAccount>().ExecuteAsync(Key, tier);
        await models.UpsertAsync(Some.BaseModel());
        return new TestApp(app, worker, models, accounts);
    }

    public HttpClient ClientWith(string? key)
    {
        var client = new HttpClient(new ContractHandler(_ => Task.FromResult(Contract.Value), new HttpClientHandler())) { BaseAddress = BaseAddress, Timeout = TimeSpan.FromSeconds(20) };
        client.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <summary>A second account with a key of its own.</summary>
    public async Task<HttpClient> OtherAccountAsync()
    {
        const string Secret = "lt-key-of-somebody-else-entirely";
        await Accounts.UpsertAsync(Some.Account("user-other"));
        await Accounts.CreateKeyAsync(Some.Key(ApiKeySecret.Hash(Secret), "user-other"));
        return ClientWith(Secret);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    // All of them; orchestrations do not run here (their client only takes notes), and are tested where they do.
    private static IEnumerable<Type> FunctionTypes() => typeof(FunctionsAppSetup).Assembly.GetTypes()
        .Where(type => type.Namespace?.StartsWith("LangTrain.Functions.", StringComparison.Ordinal) == true);
}

/// <summary>What tests read off answers.</summary>
internal static class AnswerExtensions
{
    public static async Task<JsonElement> JsonAsync(this Task<HttpResponseMessage> sending, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var response = await sending;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(expected == response.StatusCode, $"{(int)response.StatusCode}: {text}");
        return JsonElement.Parse(text);
    }

    /// <summary>The error of an answer, with the four fields that each must have.</summary>
    public static async Task<JsonElement> ErrorAsync(this Task<HttpResponseMessage> sending, HttpStatusCode expected)
    {
        var error = (await sending.JsonAsync(expected)).GetProperty("error");
        foreach (var field in (string[])["message", "type", "param", "code"])
        {
            Assert.True(error.TryGetProperty(field, out _), $"error.{field} is missing");
        }

        return error;
    }

    public static string Text(this JsonElement element, string property) => element.GetProperty(property).GetString()!;

    public static Task<HttpResponseMessage> PostAsync(this HttpClient client, string path, object body) => client.PostAsJsonAsync(path, body);
}
