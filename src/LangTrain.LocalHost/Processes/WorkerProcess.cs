using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace LangTrain.LocalHost.Processes;

/// <summary>
/// The worker as a second process, started again when it ends by itself. It ends with this object, and also when this process is killed:
/// its standard input is our pipe. Thread-safe.
/// </summary>
internal sealed partial class WorkerProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5), LongestPause = TimeSpan.FromSeconds(30), Healthy = TimeSpan.FromMinutes(1);

    // A job in work is checkpointed and given back in this time; what takes longer goes on from its last checkpoint.
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(12);

    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly Action<string> _log;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _keeping;
    private Process _process;

    private WorkerProcess(IReadOnlyDictionary<string, string> environment, Uri url, Action<string> log, TimeProvider time, ILogger logger)
    {
        (_environment, Url, _log, _time, _logger) = (environment, url, log, time, logger);
        _process = Start();
        _keeping = KeepAsync();
    }

    /// <summary>Address of its internal API.</summary>
    public Uri Url { get; }

    /// <summary>Starts the worker that was built with this host.</summary>
    /// <param name="environment">Its settings, besides those this process has itself.</param>
    /// <param name="log">Told every line that it prints; called from another thread.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Told when it ended by itself.</param>
    /// <exception cref="StartFailedException">It was not built, or <c>dotnet</c> is not on the PATH.</exception>
    public static WorkerProcess Start(IReadOnlyDictionary<string, string> environment, Action<string> log, TimeProvider time, ILogger logger)
    {
        var url = new Uri($"http://127.0.0.1:{FreePort()}");
        var settings = new Dictionary<string, string>(environment)
        {
            ["LANGTRAIN_WORKER_URL"] = url.GetLeftPart(UriPartial.Authority),
            ["LANGTRAIN_WORKER_ENDS_WITH_PARENT"] = "true",
        };
        return new WorkerProcess(settings, url, log, time, logger);
    }

    /// <summary>Waits until it answers.</summary>
    /// <exception cref="StartFailedException">It does not within a minute.</exception>
    public async Task WaitUntilHealthyAsync(CancellationToken cancellation)
    {
        using var client = new HttpClient { BaseAddress = Url, Timeout = TimeSpan.FromSeconds(5) };
        var begun = _time.GetTimestamp();
        while (_time.GetElapsedTime(begun) < Healthy)
        {
            try
            {
                if ((await client.GetAsync(new Uri("/health", UriKind.Relative), cancellation)).IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (Exception failure) when (failure is HttpRequestException || (failure is TaskCanceledException && !cancellation.IsCancellationRequested))
            {
                // Not listening yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), _time, cancellation);
        }

        throw new StartFailedException("The worker did not answer within a minute; see worker.log in the data folder's logs.");
    }

    /// <summary>Ends the worker: a job in work is given back first.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        var process = _process;
        if (!process.HasExited)
        {
            if (OperatingSystem.IsWindows())
            {
                process.StandardInput.Close();
            }
            else
            {
                _ = SendSignal(process.Id, Terminate);
            }

            try
            {
                using var patience = new CancellationTokenSource(StopPatience);
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                await process.WaitForExitAsync();
            }
        }

        await _keeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        process.Dispose();
        _stopping.Dispose();
    }

    private static string Program()
    {
        // Both are built by one command; the build writes down where the one lies as seen from the other.
        var relative = typeof(WorkerProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Worker").Value!;
        var path = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, relative));
        return File.Exists(path) ? path : throw new StartFailedException("The worker is not built. Build the solution, or start with 'dotnet run --project src/LangTrain.LocalHost'.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private Process Start()
    {
        var start = new ProcessStartInfo("dotnet", [Program()]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in _environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            var process = Process.Start(start)!;
            process.OutputDataReceived += (_, line) => Log(line.Data);
            process.ErrorDataReceived += (_, line) => Log(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            return process;
        }
        catch (Win32Exception missing)
        {
            throw new StartFailedException("The worker could not be started: 'dotnet' is not on the PATH.", missing);
        }
    }

    private async Task KeepAsync()
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var begun = _time.GetTimestamp();
            await _process.WaitForExitAsync();
            if (_stopping.IsCancellationRequested)
            {
                return;
            }

            if (_time.GetElapsedTime(begun) > Healthy)
            {
                pause = FirstPause;
            }

            _logger.WorkerEnded(_process.ExitCode, pause);
            await Task.Delay(pause, _time, _stopping.Token);
            var ended = _process;
            _process = Start();
            ended.Dispose();
        }
    }

    private void Log(string? line)
    {
        if (line is not null)
        {
            _log(line);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int processId, int signal);
}
