using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using LangTrain.Contracts.Models;
using LangTrain.Core.Models;
using LangTrain.Core.Observability;
using LangTrain.Functions.StartUp;
using LangTrain.LocalHost.Relay;
using LangTrain.LocalHost.Startup;
using LangTrain.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace LangTrain.LocalHost.Tests.Simulation;

/// <summary>Takes both cores for a minute or two: it runs while nothing else of this assembly does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SimulationCollection
{
    public const string Name = "Simulation";
}

/// <summary>A thousand jobs through the real API, orchestration, activities, queues and tables, over a real Azurite; only the training is imitated.</summary>
[Collection(SimulationCollection.Name)]
public sealed class ThousandJobsTests(AzuriteFixture azurite)
{
    private const int Jobs = 1000, Batches = 5, Workers = 16, Submitters = 8;
    private const string Key = "lt-simulation-0123456789abcdef", Model = "langtrain/imitated";

    [Fact]
    public async Task The_cost_of_a_job_does_not_grow_with_the_number_of_jobs()
    {
        var folder = Directory.CreateTempSubdirectory("langtrain-simulation-").FullName;
        try
        {
            var cost = await SimulateAsync(folder);
            var report = string.Join("; ", cost.Select(batch => string.Create(CultureInfo.InvariantCulture, $"{batch.Requests:F1} requests, {batch.Seconds:F3} s")));
            TestContext.Current.TestOutputHelper?.WriteLine($"A job in batches of {Jobs / Batches}: {report}");

            // What polls, polls by the clock: a slow machine adds some to every batch, so the first is compared with room for that.
            Assert.True(cost[^1].Requests <= cost[0].Requests * 1.3, report);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<IReadOnlyList<(double Requests, double Seconds)>> SimulateAsync(string folder)
    {
        var url = FreeUrl();
        using var log = new LogFile(Path.Combine(folder, "host.log"), TimeProvider.System);
        await using var app = LocalHostApp.Build(
            new LocalHostSettings { Url = url, DataFolder = folder },
            new Dictionary<string, string?>
            {
                ["AzureWebJobsStorage"] = azurite.ConnectionString,
                ["LANGTRAIN_BOOTSTRAP_API_KEY"] = Key,
                ["LANGTRAIN_BOOTSTRAP_TIER"] = "enterprise",
            },
            new RelayOptions(url, "a-key-of-the-stand-in-0123456789abcdef", null),
            log,
            verbose: false);
        await app.StartAsync();
        await app.Services.GetRequiredService<PrepareApp>().Prepared;
        await app.Services.GetRequiredService<IModelStore>().UpsertAsync(Some.BaseModel(Model) with
        {
            Weights = new ModelSource { Kind = ModelSource.Blob, Container = "base-models", Folder = Model, Revision = "r1" },
        });

        using var client = new HttpClient { BaseAddress = new Uri(url, "/v1/"), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", Key) } };
        var file = await UploadAsync(client);
        using var requests = new StorageRequests(Ports(azurite.ConnectionString));
        using var completed = new CompletedJobs();
        using var stop = new CancellationTokenSource();
        var workers = new ImitatedWorkers(app.Services).RunAsync(Workers, stop.Token);
        var costs = new List<(double, double)>();
        for (var batch = 1; batch <= Batches; batch++)
        {
            var (before, clock) = (requests.Count, Stopwatch.StartNew());
            await Parallel.ForAsync(0, Jobs / Batches, new ParallelOptions { MaxDegreeOfParallelism = Submitters }, async (_, cancellation) =>
            {
                // As every client does: one request under one key, sent again when the server could not answer.
                var key = Guid.NewGuid().ToString();
                for (var attempt = 1; ; attempt++)
                {
                    using var request = new HttpRequestMessage(HttpMethod.Post, "fine-tunes") { Content = JsonContent.Create(Body(file)), Headers = { { "Idempotency-Key", key } } };
                    using var answer = await client.SendAsync(request, cancellation);
                    if (answer.IsSuccessStatusCode)
                    {
                        break;
                    }

                    Assert.True((int)answer.StatusCode >= 500 && attempt < 4, await answer.Content.ReadAsStringAsync(cancellation));
                    await Task.Delay(TimeSpan.FromSeconds(attempt), cancellation);
                }
            });
            await completed.ReachAsync(batch * Jobs / Batches, TimeSpan.FromMinutes(5));
            costs.Add(((requests.Count - before) / (double)(Jobs / Batches), clock.Elapsed.TotalSeconds / (Jobs / Batches)));
        }

        await stop.CancelAsync();
        await workers;
        await app.StopAsync();
        return costs;
    }

    private static JsonObject Body(string file) => new()
    {
        ["model_id"] = Model,
        ["dataset"] = new JsonObject { ["type"] = "jsonl", ["file_id"] = file },
        ["config"] = new JsonObject { ["method"] = "lora" },
    };

    private static async Task<string> UploadAsync(HttpClient client)
    {
        using var form = new MultipartFormDataContent();
        form.Add(new StringContent("fine-tune"), "purpose");
        form.Add(new StringContent("{\"prompt\": \"a\", \"completion\": \"b\"}\n"), "file", "train.jsonl");
        using var answer = await client.PostAsync("files", form);
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!["id"]!.GetValue<string>();
    }

    private static HashSet<int> Ports(string connectionString) => [.. connectionString.Split(';')
        .Select(part => part.Split('=', 2)).Where(part => part.Length == 2 && part[0].EndsWith("Endpoint", StringComparison.Ordinal)).Select(part => new Uri(part[1]).Port)];

    private static Uri FreeUrl()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
    }

    /// <summary>Hears of completed jobs from the product's own counter, which costs no storage request.</summary>
    private sealed class CompletedJobs : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _count;

        public CompletedJobs()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument is { Meter.Name: JobMetrics.MeterName, Name: "langtrain.fine_tunes.moved" })
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
            {
                foreach (var (name, value) in tags)
                {
                    if (name == "status" && value is "completed")
                    {
                        Interlocked.Add(ref _count, count);
                    }
                }
            });
            _listener.Start();
        }

        public async Task ReachAsync(long count, TimeSpan patience)
        {
            var clock = Stopwatch.StartNew();
            while (Interlocked.Read(ref _count) < count)
            {
                Assert.True(clock.Elapsed < patience, $"{Interlocked.Read(ref _count)} of {count} jobs are completed");
                await Task.Delay(50);
            }
        }

        public void Dispose() => _listener.Dispose();
    }
}
