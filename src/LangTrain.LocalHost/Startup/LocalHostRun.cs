using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LangTrain.Core.Accounts;
using LangTrain.Core.Models;
using LangTrain.Core.Storage;
using LangTrain.Contracts;
using LangTrain.Functions.StartUp;
using LangTrain.LocalHost.Azurite;
using LangTrain.LocalHost.Demo;
using LangTrain.LocalHost.Processes;
using LangTrain.LocalHost.Relay;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace LangTrain.LocalHost.Startup;

/// <summary>One life of this host: starts storage, worker and app in that order, waits or does the demo, and stops them in the other order.</summary>
internal sealed class LocalHostRun(CommandLine command, LocalHostSettings settings)
{
    // Where the app's function for events of the relay is; the same path is set on the hub in Azure.
    private const string RelayEventsPath = "/v1/hubs/jobs/events";

    private readonly IAnsiConsole _console = AnsiConsole.Console;
    private readonly TimeProvider _time = TimeProvider.System;

    /// <summary>Runs to the end.</summary>
    /// <returns>The exit status.</returns>
    /// <exception cref="StartFailedException">Something cannot be started; one clear line.</exception>
    public async Task<int> RunAsync()
    {
        using var stopping = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stopping));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stopping));
        try
        {
            return await RunAsync(stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return 0;
        }
    }

    private static void Stop(PosixSignalContext signal, CancellationTokenSource stopping)
    {
        // A second signal ends the process the system's own way.
        signal.Cancel = !stopping.IsCancellationRequested;
        stopping.Cancel();
    }

    private async Task<int> RunAsync(CancellationToken cancellation)
    {
        // 1. This data folder and this address are ours.
        CreateDataFolder();
        using var held = FileLock.TryTake(Path.Combine(settings.DataFolder, "host.lock"))
            ?? throw new StartFailedException($"Another LangTrain runs over {settings.DataFolder}. End it, or choose another folder with LANGTRAIN_DATA_DIR.");
        LocalHostApp.EnsureFree(settings.Url);
        using var log = new LogFile(Path.Combine(settings.LogFolder, "host.log"), _time);
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(log));
        var logger = loggers.CreateLogger<LocalHostRun>();

        // 2. Storage.
        await using var azurite = settings.StorageConnectionString is null ? await StartAzuriteAsync(cancellation) : null;
        var storage = settings.StorageConnectionString ?? azurite!.ConnectionString;

        // 3. The worker, which loads while the app starts.
        var relay = new RelayOptions(settings.Url, RandomNumberGenerator.GetHexString(64), new Uri(settings.Url, RelayEventsPath));
        var workerKey = RandomNumberGenerator.GetHexString(48, lowercase: true);
        using var workerLog = new LogFile(Path.Combine(settings.LogFolder, "worker.log"), _time);
        await using var worker = WorkerProcess.Start(WorkerSettings(storage, relay, workerKey), workerLog.Write, _time, logger);

        // 4. The app, or where it runs elsewhere only the relay.
        var key = settings.EnsureBootstrapKey();
        var appSettings = AppSettings(storage, relay, worker.Url, workerKey, key);
        await using var app = command.Verb == Verb.Services
            ? LocalHostApp.BuildRelay(settings, relay, log, command.Verbose)
            : LocalHostApp.Build(settings, appSettings, relay, log, command.Verbose);
        if (command.Verb != Verb.Services)
        {
            // Before the first request can come: who is answered at all finds account and models there.
            await ShipTinyModelAsync(app, cancellation);
            var prepare = app.Services.GetRequiredService<PrepareApp>();
            await prepare.StartAsync(cancellation);
            try
            {
                Warn(await prepare.Prepared.WaitAsync(cancellation));
            }
            catch (ArgumentException wrong)
            {
                throw new StartFailedException($"LANGTRAIN_BOOTSTRAP_API_KEY or LANGTRAIN_BOOTSTRAP_TIER cannot be used: {wrong.Message}", wrong);
            }
        }

        await LocalHostApp.StartAsync(app, settings.Url);
        try
        {
            await worker.WaitUntilHealthyAsync(cancellation);
            await ShowReadyAsync(app, key, appSettings, cancellation);
            if (command.Verb == Verb.Demo)
            {
                return await new DemoRun(settings.Url, key, _console, _time).RunAsync(cancellation);
            }

            // 5. Until Ctrl-C, or until what everything stands on is gone.
            var ended = await Task.WhenAny(Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellation), azurite?.Exited ?? Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellation));
            if (!cancellation.IsCancellationRequested && ended == azurite?.Exited)
            {
                logger.AzuriteEnded();
                throw new StartFailedException("Azurite ended by itself; see azurite.log in the data folder's logs.");
            }

            _console.MarkupLine("[grey]Stopping. Running jobs are given back and go on at the next start.[/]");
            return 0;
        }
        finally
        {
            // The app first, so that nothing new begins; then the worker, which still writes to storage; storage last.
            await app.StopAsync(CancellationToken.None);
        }
    }

    private void CreateDataFolder()
    {
        try
        {
            Directory.CreateDirectory(settings.LogFolder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StartFailedException($"The data folder {settings.DataFolder} cannot be made: {failure.Message}", failure);
        }
    }

    private async Task<AzuriteProcess> StartAzuriteAsync(CancellationToken cancellation)
    {
        var installation = await AzuriteInstallation.EnsureAsync(
            AzuriteInstallation.DefaultCacheFolder(settings.DataFolder), line => _console.MarkupLineInterpolated($"[grey]{line}[/]"), cancellation);
        // Kept open as long as this process lives: Azurite writes to it until its own end.
        var log = new LogFile(Path.Combine(settings.LogFolder, "azurite.log"), _time);
        return await AzuriteProcess.StartAsync(installation, Path.Combine(settings.DataFolder, "azurite"), log.Write, cancellation);
    }

    private Dictionary<string, string> WorkerSettings(string storage, RelayOptions relay, string workerKey) => new()
    {
        ["AzureWebJobsStorage"] = storage,
        ["WebPubSubConnectionString"] = relay.ConnectionString,
        ["LANGTRAIN_WORKER_KEY"] = workerKey,
        ["LANGTRAIN_WORKER_SCRATCH_DIR"] = Path.Combine(settings.DataFolder, "worker"),
        ["LANGTRAIN_WORKER_DRAIN_SECONDS"] = "10",
    };

    private Dictionary<string, string?> AppSettings(string storage, RelayOptions relay, Uri worker, string workerKey, string key) => new()
    {
        ["AzureWebJobsStorage"] = storage,
        ["WebPubSubConnectionString"] = relay.ConnectionString,
        ["LANGTRAIN_WORKER_URL"] = worker.GetLeftPart(UriPartial.Authority),
        ["LANGTRAIN_WORKER_KEY"] = workerKey,
        ["LANGTRAIN_BOOTSTRAP_API_KEY"] = key,
        ["LANGTRAIN_BOOTSTRAP_TIER"] = settings.BootstrapTier,
        ["LANGTRAIN_SIGNING_KEY"] = settings.EnsureSigningKey(),
    };

    /// <summary>The tiny base model goes the way of every base model: files to blobs, then a row.</summary>
    private static async Task ShipTinyModelAsync(WebApplication app, CancellationToken cancellation)
    {
        var names = app.Services.GetRequiredService<StorageNames>();
        await app.Services.GetRequiredService<BlobFolder>().UploadAsync(
            names.BaseModelsContainer, TinyBaseModel.Id, TinyBaseModel.Folder, cancellation: cancellation);
        var registered = await app.Services.GetRequiredService<RegisterBaseModels>().FromBlobsAsync(TinyBaseModel.Id, cancellation);
        if (registered.Problem is { } problem)
        {
            throw new StartFailedException($"The shipped model {TinyBaseModel.Id} cannot be used: {problem}");
        }
    }

    private void Warn(IReadOnlyList<RegisteredModel> models)
    {
        foreach (var model in models.Where(model => model.Problem is not null))
        {
            _console.MarkupLineInterpolated($"[yellow]{model.ModelId} is left out: {model.Problem}[/]");
        }
    }

    private async Task ShowReadyAsync(WebApplication app, string key, Dictionary<string, string?> appSettings, CancellationToken cancellation)
    {
        if (command.Verb == Verb.Services)
        {
            _console.WriteLine("Ready for 'func start --script-root src/LangTrain.Functions'. Values for local.settings.json:");
            foreach (var (name, value) in appSettings)
            {
                _console.WriteLine($"    \"{name}\": \"{value}\",");
            }

            return;
        }

        var baseUrl = settings.Url.GetLeftPart(UriPartial.Authority) + "/v1";
        var ticket = await app.Services.GetRequiredService<DashboardSignIn>().CreateTicketAsync(BootstrapAccount.AccountId, cancellation);
        // Wider than any of these lines: a terminal that is narrower wraps them itself, and an address stays one to copy.
        _console.Profile.Width = Math.Max(_console.Profile.Width, 240);
        _console.MarkupLine("[green bold]LangTrain is ready[/]");
        _console.MarkupLineInterpolated($"  [bold]API[/]        {baseUrl}");
        _console.MarkupLineInterpolated($"  [bold]Dashboard[/]  {baseUrl}/dashboard/#ticket={ticket}");
        _console.MarkupLineInterpolated($"  [bold]API key[/]    {key}");
        _console.MarkupLineInterpolated($"  [grey]Data, logs[/] {settings.DataFolder}");
        if (command.Verb == Verb.Run)
        {
            _console.MarkupLine("[grey]Ctrl-C stops it. --help says more.[/]");
        }
    }
}
