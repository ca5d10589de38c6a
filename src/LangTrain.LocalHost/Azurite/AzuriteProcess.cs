using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using LangTrain.LocalHost.Processes;

namespace LangTrain.LocalHost.Azurite;

/// <summary>
/// A running Azurite on ports that the system gave. It ends with this object, and also when this process is killed:
/// its standard input is our pipe, and it stops when that closes. Safe to use from several threads.
/// </summary>
internal sealed partial class AzuriteProcess : IAsyncDisposable
{
    // The one account that every Azurite has; its key is public.
    private const string Account = "devstoreaccount1";
    private const string AccountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly Task _reading;

    private AzuriteProcess(Process process, string connectionString, Task reading)
    {
        _process = process;
        _reading = reading;
        ConnectionString = connectionString;
        Exited = process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>Connection string with the three endpoints.</summary>
    public string ConnectionString { get; }

    /// <summary>Its process id.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Completes when the process has ended, for whatever reason.</summary>
    public Task Exited { get; }

    /// <summary>Starts Azurite over a data folder, after an earlier one over the same folder has ended.</summary>
    /// <param name="installation">The program.</param>
    /// <param name="location">Its data folder; made where it is missing.</param>
    /// <param name="log">Told every line that it prints; called from another thread.</param>
    /// <param name="cancellation">Ends the start.</param>
    /// <exception cref="StartFailedException">Node.js is missing, or Azurite ended before it listened.</exception>
    public static async Task<AzuriteProcess> StartAsync(
        AzuriteInstallation installation, string location, Action<string> log, CancellationToken cancellation)
    {
        Directory.CreateDirectory(location);
        var mark = Path.Combine(location, "azurite.pid");
        await EndPredecessorAsync(mark, cancellation);
        var process = StartNode(installation, location);
        await File.WriteAllTextAsync(mark, Identity(process), CancellationToken.None);

        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var reading = Task.WhenAll(ReadOutputAsync(process, listening, log), ReadErrorsAsync(process, log));
        try
        {
            return new AzuriteProcess(process, await listening.Task.WaitAsync(StartPatience, cancellation), reading);
        }
        catch (Exception failure)
        {
            process.Kill();
            process.Dispose();
            throw failure is TimeoutException ? new StartFailedException("Azurite did not start within 30 seconds; see its log.", failure) : failure;
        }
    }

    /// <summary>Ends Azurite, which saves first.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already.
        }

        try
        {
            await Exited.WaitAsync(StopPatience);
        }
        catch (TimeoutException)
        {
            _process.Kill();
            await Exited;
        }

        await _reading;
        _process.Dispose();
    }

    private static Process StartNode(AzuriteInstallation installation, string location)
    {
        var start = new ProcessStartInfo("node") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])
            [installation.HostScript, installation.Script, "--silent", "--disableTelemetry", "--skipApiVersionCheck",
                "--location", location, "--blobPort", "0", "--queuePort", "0", "--tablePort", "0"])
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw new StartFailedException("Node.js was not found. Install Node.js 20 or newer, or give a storage account in AzureWebJobsStorage.", missing);
        }
    }

    private static async Task ReadOutputAsync(Process process, TaskCompletionSource<string> listening, Action<string> log)
    {
        var endpoints = new Dictionary<string, string>();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            log(line);
            if (ListeningLine().Match(line) is { Success: true } match)
            {
                endpoints[match.Groups["service"].Value] = $"{match.Groups["address"].Value}/{Account}";
                if (endpoints.Count == 3)
                {
                    listening.TrySetResult(
                        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={AccountKey};"
                        + $"BlobEndpoint={endpoints["Blob"]};QueueEndpoint={endpoints["Queue"]};TableEndpoint={endpoints["Table"]};");
                }
            }
        }

        listening.TrySetException(new StartFailedException("Azurite ended while it started; see its log."));
    }

    private static async Task ReadErrorsAsync(Process process, Action<string> log)
    {
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            log(line);
        }
    }

    // After kill -9 of a host its Azurite lives on for as long as saving takes. Two over one folder would overwrite each other's data.
    private static async Task EndPredecessorAsync(string mark, CancellationToken cancellation)
    {
        if (!File.Exists(mark) || (await File.ReadAllTextAsync(mark, cancellation)).Split(' ') is not [var id, _] words
            || !int.TryParse(id, CultureInfo.InvariantCulture, out var processId))
        {
            return;
        }

        Process earlier;
        try
        {
            earlier = Process.GetProcessById(processId);
        }
        catch (ArgumentException)
        {
            return;
        }

        using (earlier)
        {
            // Ids are used again: only the process with the same start time is the one that was written down.
            if (Identity(earlier) != string.Join(' ', words))
            {
                return;
            }

            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(StopPatience);
            try
            {
                await earlier.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                earlier.Kill();
                await earlier.WaitForExitAsync(cancellation);
            }
        }
    }

    private static string Identity(Process process)
    {
        try
        {
            return string.Create(CultureInfo.InvariantCulture, $"{process.Id} {process.StartTime.ToUniversalTime().Ticks / TimeSpan.TicksPerSecond}");
        }
        catch (InvalidOperationException)
        {
            return "";
        }
    }

    [GeneratedRegex("^Azurite (?<service>Blob|Queue|Table) service is successfully listening at (?<address>http://\\S+)$")]
    private static partial Regex ListeningLine();
}
