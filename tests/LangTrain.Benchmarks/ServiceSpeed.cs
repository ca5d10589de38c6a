using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Azure.Data.Tables;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using LangTrain.AzureAdapters;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Models;
using LangTrain.Core;
using LangTrain.Core.FineTunes;
using LangTrain.LocalHost.Azurite;
using Microsoft.Extensions.DependencyInjection;

namespace LangTrain.Benchmarks;

/// <summary>Speed of the service around the models: LocalHost over Azurite as processes, beside a server that does nothing.</summary>
/// <remarks>Everything runs on one machine and shares its cores, the load generator too: only ratios of one run count.</remarks>
internal sealed class ServiceSpeed : IAsyncDisposable
{
    private const string Key = "lt-service-speed-0123456789abcdef0123456789";
    private const int Connections = 16;

    private readonly string _folder = Directory.CreateTempSubdirectory("langtrain-speed-").FullName;
    private readonly Uri _url = FreeUrl(), _plain = FreeUrl();
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromMinutes(5) };
    private AzuriteProcess? _azurite;
    private Process? _host, _plainServer;

    /// <summary>Measures the named parts: <c>models</c>, <c>submit</c>, <c>list</c>, <c>upload</c>; all without a name.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> parts)
    {
        await using var speed = new ServiceSpeed();
        await speed.StartAsync();
        foreach (var (name, measure) in ((string, Func<Task>)[])
            [("models", speed.ModelsAsync), ("submit", speed.SubmitAsync), ("list", speed.ListAsync), ("upload", speed.UploadAsync)])
        {
            if (parts.Count == 0 || parts.Contains(name))
            {
                await measure();
            }
        }

        return 0;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        foreach (var process in (Process?[])[_plainServer, _host])
        {
            if (process is { HasExited: false })
            {
                process.StandardInput.Close();
                using var signal = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]);
                await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(TimeSpan.FromSeconds(30)));
                process.Kill(entireProcessTree: true);
            }
        }

        if (_azurite is not null)
        {
            await _azurite.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Authenticated and rate-limited <c>GET /models</c> beside the plain server, alternating; then latencies at half the load.</summary>
    private async Task ModelsAsync()
    {
        var (ours, plain) = (HttpLoad.Get(new Uri(_url, "v1/models"), Key), HttpLoad.Get(_plain, null));
        await ours.SaturateAsync(Connections, TimeSpan.FromSeconds(4));
        await plain.SaturateAsync(Connections, TimeSpan.FromSeconds(2));
        var (a, b) = (new List<double>(), new List<double>());
        for (var round = 0; round < 5; round++)
        {
            a.Add(await ours.SaturateAsync(Connections, TimeSpan.FromSeconds(3)));
            b.Add(await plain.SaturateAsync(Connections, TimeSpan.FromSeconds(3)));
        }

        var (mine, theirs) = (Median(a), Median(b));
        Say($"GET /models: {mine:0} requests/s, plain server {theirs:0}; ratio {mine / theirs:0.00}");
        // Alternating here too: on shared cores the tail is as much the machine's as the server's. Each side warms up first, for its turn begins
        // with new connections and, here, with keys and lists that went stale during the other's.
        var (half, plainHalf) = (new List<double>(), new List<double>());
        for (var round = 0; round < 3; round++)
        {
            await ours.PaceAsync(Connections, mine / 2, TimeSpan.FromSeconds(1));
            half.AddRange(await ours.PaceAsync(Connections, mine / 2, TimeSpan.FromSeconds(5)));
            await plain.PaceAsync(Connections, mine / 2, TimeSpan.FromSeconds(1));
            plainHalf.AddRange(await plain.PaceAsync(Connections, mine / 2, TimeSpan.FromSeconds(5)));
        }

        half.Sort();
        plainHalf.Sort();
        Say($"GET /models at half load ({mine / 2:0}/s): p50 {At(half, 0.5):0.0} ms, p99 {At(half, 0.99):0.0} ms, most {half[^1]:0.0} ms; "
            + $"plain server at that load: p50 {At(plainHalf, 0.5):0.0} ms, p99 {At(plainHalf, 0.99):0.0} ms, most {plainHalf[^1]:0.0} ms; "
            + $"ratio of p99 {At(half, 0.99) / At(plainHalf, 0.99):0.0}");
    }

    /// <summary><c>POST /fine-tunes</c>, one after the other. The datasets' addresses do not exist, so that no training runs beside.</summary>
    private async Task SubmitAsync()
    {
        var latencies = new List<double>();
        for (var i = 0; i < 120; i++)
        {
            var watch = Stopwatch.StartNew();
            using var response = await SendAsync(HttpMethod.Post, "fine-tunes", JsonContent.Create(
                new { model_id = "langtrain/tiny-base", dataset = new { url = "http://127.0.0.1:65000/none.jsonl" }, config = new { method = "lora" } }));
            response.EnsureSuccessStatusCode();
            await response.Content.ReadAsByteArrayAsync();
            if (i >= 20)
            {
                latencies.Add(watch.Elapsed.TotalMilliseconds);
            }

            await Task.Delay(100);
        }

        latencies.Sort();
        Say($"POST /fine-tunes over Azurite: p50 {At(latencies, 0.5):0.0} ms, p95 {At(latencies, 0.95):0.0} ms");
    }

    /// <summary>One page of an account with 10,000 jobs beside one of an account with 100.</summary>
    private async Task ListAsync()
    {
        using var made = await SendAsync(HttpMethod.Post, "accounts", JsonContent.Create(new { name = "many", tier = "enterprise" }));
        var account = JsonElement.Parse(await made.Content.ReadAsStringAsync());
        using var other = await SendAsync(HttpMethod.Post, "accounts", JsonContent.Create(new { name = "few", tier = "enterprise" }));
        var few = JsonElement.Parse(await other.Content.ReadAsStringAsync());
        await FillAsync(account.GetProperty("id").GetString()!, 10_000);
        await FillAsync(few.GetProperty("id").GetString()!, 100);
        var (ofMany, ofFew) = (Load(account), Load(few));
        var (a, b, bareA, bareB) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < 5; round++)
        {
            a.Add(At(await ofMany.OneByOneAsync(40), 0.5));
            b.Add(At(await ofFew.OneByOneAsync(40), 0.5));
            bareA.Add(At(await BarePagesAsync(account, 40), 0.5));
            bareB.Add(At(await BarePagesAsync(few, 40), 0.5));
        }

        Say($"GET /fine-tunes?limit=20: {Median(a):0.0} ms of 10,000 jobs, {Median(b):0.0} ms of 100; ratio {Median(a) / Median(b):0.00}; "
            + $"the same range straight from Azurite: {Median(bareA):0.0} and {Median(bareB):0.0} ms; ratio {Median(bareA) / Median(bareB):0.00}; "
            + $"the service adds {Median(a) - Median(bareA):0.0} and {Median(b) - Median(bareB):0.0} ms");

        HttpLoad Load(JsonElement owner) => HttpLoad.Get(new Uri(_url, "v1/fine-tunes?limit=20"), owner.GetProperty("api_key").GetProperty("key").GetString());
    }

    /// <summary>The peer of a page: the range of rows that it is made of, asked for with the storage client alone.</summary>
    private async Task<double[]> BarePagesAsync(JsonElement owner, int count)
    {
        var table = new TableClient(_azurite!.ConnectionString, new StorageNames().JobsTable);
        var range = TableClient.CreateQueryFilter($"PartitionKey eq {"a-" + owner.GetProperty("id").GetString()} and RowKey gt {"r-"} and RowKey lt {"r."}");
        var latencies = new double[count];
        for (var i = 0; i < count; i++)
        {
            var watch = Stopwatch.StartNew();
            var page = await table.QueryAsync<TableEntity>(range, 21).AsPages().FirstAsync();
            latencies[i] = page.Values.Count == 21 ? watch.Elapsed.TotalMilliseconds : throw new InvalidOperationException("The account has no such rows.");
        }

        return [.. latencies.Order()];
    }

    /// <summary>An upload of 1 GB (less what the limit leaves to the form) beside a copy of the same file, and beside its blocks put into Azurite with the storage client alone.</summary>
    private async Task UploadAsync()
    {
        var (source, copy) = (Path.Combine(_folder, "upload.bin"), Path.Combine(_folder, "copy.bin"));
        const long Bytes = 1_000_000_000;
        var line = Encoding.UTF8.GetBytes("{\"text\":\"" + new string('a', 989) + "\"}\n");
        await using (var file = File.Create(source, 1 << 20))
        {
            for (long written = 0; written < Bytes; written += line.Length)
            {
                file.Write(line);
            }
        }

        var watch = Stopwatch.StartNew();
        await using (var from = File.OpenRead(source))
        await using (var to = File.Create(copy, 1 << 20))
        {
            await from.CopyToAsync(to, 1 << 20);
            to.Flush(flushToDisk: true);
        }

        var copied = watch.Elapsed;
        File.Delete(copy);
        var before = PeakMegabytes();
        var processor = _host!.TotalProcessorTime;
        await using var content = File.OpenRead(source);
        using var form = new MultipartFormDataContent { { new StringContent("fine-tune"), "purpose" }, { new StreamContent(content, 1 << 20), "file", "upload.jsonl" } };
        watch.Restart();
        using var response = await SendAsync(HttpMethod.Post, "files", form);
        var answer = await response.Content.ReadAsStringAsync();
        response.EnsureSuccessStatusCode();
        var uploaded = watch.Elapsed;
        Say($"Upload of 1 GB: {Bytes / 1e6 / uploaded.TotalSeconds:0} MB/s, copy on disk {Bytes / 1e6 / copied.TotalSeconds:0} MB/s; ratio {copied / uploaded:0.00}; "
            + $"peak memory of the host {before:0} MB before, {PeakMegabytes():0} MB after, processor time {(_host.TotalProcessorTime - processor).TotalSeconds:0.0} s ({answer.Length} characters of answer)");
        var bare = await BareBlocksAsync(source);
        Say($"Bare Put Block, as large and as many at once: {Bytes / 1e6 / bare.TotalSeconds:0} MB/s; ratio {bare / uploaded:0.00}");
    }

    /// <summary>The peer of an upload: a file's blocks put into a blob with the storage client alone, from one process to Azurite.</summary>
    private async Task<TimeSpan> BareBlocksAsync(string path)
    {
        const int BlockBytes = 8 << 20, InFlight = 3;
        var container = new BlobContainerClient(_azurite!.ConnectionString, "bare");
        await container.CreateIfNotExistsAsync();
        var blob = container.GetBlockBlobClient("blocks");
        var watch = Stopwatch.StartNew();
        using var file = File.OpenHandle(path);
        var count = (int)((RandomAccess.GetLength(file) + BlockBytes - 1) / BlockBytes);
        var names = Enumerable.Range(0, count).Select(i => Convert.ToBase64String(BitConverter.GetBytes(i))).ToArray();
        var withMd5 = new BlockBlobStageBlockOptions { TransferValidation = new UploadTransferValidationOptions { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5 } };
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(async _ =>
        {
            var buffer = new byte[BlockBytes];
            for (var i = Interlocked.Increment(ref next); i < count; i = Interlocked.Increment(ref next))
            {
                var length = await RandomAccess.ReadAsync(file, buffer, (long)i * BlockBytes);
                await blob.StageBlockAsync(names[i], new MemoryStream(buffer, 0, length), withMd5);
            }
        }));
        await blob.CommitBlockListAsync(names);
        return watch.Elapsed;
    }

    private async Task StartAsync()
    {
        var installation = await AzuriteInstallation.EnsureAsync(AzuriteInstallation.DefaultCacheFolder(_folder), Say, CancellationToken.None);
        _azurite = await AzuriteProcess.StartAsync(installation, Path.Combine(_folder, "azurite"), _ => { }, CancellationToken.None);
        var program = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory,
            typeof(ServiceSpeed).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "LocalHost").Value!));
        _host = Start(program, [], new()
        {
            ["AzureWebJobsStorage"] = _azurite.ConnectionString,
            ["LANGTRAIN_DATA_DIR"] = Path.Combine(_folder, "data"),
            ["LANGTRAIN_URL"] = _url.GetLeftPart(UriPartial.Authority),
            ["LANGTRAIN_BOOTSTRAP_API_KEY"] = Key,
        });
        _plainServer = Start(typeof(ServiceSpeed).Assembly.Location, ["plain-server", _plain.GetLeftPart(UriPartial.Authority)], []);
        for (var patience = Stopwatch.StartNew(); ; await Task.Delay(200))
        {
            try
            {
                using var response = await SendAsync(HttpMethod.Get, "models");
                using var other = await _client.GetAsync(_plain);
                if (response.IsSuccessStatusCode && other.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException) when (patience.Elapsed < TimeSpan.FromMinutes(2) && !_host.HasExited)
            {
                // Not listening yet.
            }
        }
    }

    private async Task FillAsync(string accountId, int count)
    {
        var services = new ServiceCollection().AddLogging().AddLangTrainAzureAdapters(new AzureAdaptersOptions { StorageConnectionString = _azurite!.ConnectionString });
        await using var provider = services.BuildServiceProvider();
        var store = provider.GetRequiredService<IFineTuneStore>();
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, stop) => await store.CreateAsync(new FineTune
        {
            Id = Ids.New("ftjob", TimeProvider.System),
            AccountId = accountId,
            ModelId = "langtrain/tiny-base",
            BaseModelId = "langtrain/tiny-base",
            BaseModel = new ModelSource { Kind = ModelSource.ModelsDirectory, Folder = "langtrain/tiny-base", Revision = "r" },
            Dataset = new DatasetReference("https://example.com/train.jsonl", null),
            Config = new FineTuneConfig(),
            Status = FineTuneStatus.Completed,
            CreatedAt = DateTimeOffset.UtcNow,
        }, stop));
    }

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content = null)
    {
        var request = new HttpRequestMessage(method, new Uri(_url, "v1/" + path)) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return _client.SendAsync(request);
    }

    private static Process Start(string program, IReadOnlyList<string> arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) => Console.Error.WriteLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static Uri FreeUrl()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return new Uri($"http://127.0.0.1:{((System.Net.IPEndPoint)listener.LocalEndpoint).Port}/");
    }

    private double PeakMegabytes()
    {
        _host!.Refresh();
        return _host.PeakWorkingSet64 / 1e6;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static double At(IReadOnlyList<double> sorted, double share) => sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * share))];

    private static void Say(string text) => Console.WriteLine(text);
}
