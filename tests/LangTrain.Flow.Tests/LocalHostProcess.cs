using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text;

namespace LangTrain.Flow.Tests;

/// <summary>LocalHost as a process with a data folder and a port of its own, and an HTTP client with its first account's key.</summary>
internal sealed class LocalHostProcess : IAsyncDisposable
{
    private static readonly string Program = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory,
        typeof(LocalHostProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "LocalHost").Value!));

    private readonly StringBuilder _output = new();
    private readonly Process _process;

    private LocalHostProcess(Process process, string dataFolder, Uri url, string key)
    {
        (_process, DataFolder, BaseUrl) = (process, dataFolder, new Uri(url, "/v1/"));
        ApiKey = key;
        Api = new Api(BaseUrl, key);
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string DataFolder { get; }

    public Uri BaseUrl { get; }

    public string ApiKey { get; }

    public Api Api { get; }

    public int ProcessId => _process.Id;

    /// <summary>All that it printed so far.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>A folder below the temporary one that its user deletes.</summary>
    public static string NewDataFolder() => Directory.CreateTempSubdirectory("langtrain-flow-").FullName;

    /// <summary>Starts LocalHost and waits until it answers.</summary>
    public static async Task<LocalHostProcess> StartAsync(string dataFolder, Uri url, IReadOnlyDictionary<string, string>? settings = null, params string[] arguments)
    {
        var host = Launch(dataFolder, url, settings, arguments);
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var started = Stopwatch.StartNew();
        // The first start on a machine installs Azurite.
        while (started.Elapsed < TimeSpan.FromMinutes(4))
        {
            if (host._process.HasExited)
            {
                throw new InvalidOperationException($"LocalHost ended with {host._process.ExitCode}:\n{host.Output}");
            }

            try
            {
                if ((await client.GetAsync(new Uri(host.BaseUrl, "health"))).IsSuccessStatusCode
                    && (await host.Api.SendAsync(HttpMethod.Get, "models")).IsSuccessStatusCode)
                {
                    return host;
                }
            }
            catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
            {
                // Not listening yet.
            }

            await Task.Delay(100);
        }

        var output = host.Output;
        await host.DisposeAsync();
        throw new InvalidOperationException($"LocalHost did not answer in time:\n{output}");
    }

    /// <summary>Starts LocalHost without waiting for it.</summary>
    public static LocalHostProcess Launch(string dataFolder, Uri url, IReadOnlyDictionary<string, string>? settings = null, params string[] arguments)
    {
        const string Key = "lt-flow-tests-0123456789abcdef0123456789";
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["LANGTRAIN_DATA_DIR"] = dataFolder;
        start.Environment["LANGTRAIN_URL"] = url.GetLeftPart(UriPartial.Authority);
        start.Environment["LANGTRAIN_BOOTSTRAP_API_KEY"] = Key;
        start.Environment["LANGTRAIN_ALLOW_PRIVATE_URLS"] = "true";
        foreach (var (name, value) in settings ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new LocalHostProcess(Process.Start(start)!, dataFolder, url, Key);
    }

    /// <summary>An address that was free a moment ago; the test keeps it over restarts.</summary>
    /// <remarks>Below the ports that systems give out by themselves: one of those may be the next that anybody gets, this test's own webhook receiver for one.</remarks>
    public static Uri FreeUrl()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return new Uri($"http://127.0.0.1:{port}");
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
    }

    /// <summary>Ends it as <c>kill -9</c> does, its children left to notice by themselves.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Ends it as Ctrl-C does.</summary>
    public async Task<int> InterruptAsync(TimeSpan patience)
    {
        Signals.Send(_process.Id, Signals.Interrupt);
        return await WaitForExitAsync(patience);
    }

    /// <summary>Waits for its own end.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    /// <summary>Processes that it started, by the system's parent ids.</summary>
    public IReadOnlyList<int> Children() => ProcessTree.Children(_process.Id);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signals.Send(_process.Id, Signals.Interrupt);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync();
            }
        }

        _process.Dispose();
        Api.Dispose();
    }

    private void Append(string? line)
    {
        lock (_output)
        {
            _output.AppendLine(line);
        }
    }
}
