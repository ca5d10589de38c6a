using System.Collections.Concurrent;
using System.Text.Json;
using LangTrain.LocalHost.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LangTrain.LocalHost.Durable;

/// <summary>
/// Runs the app's orchestrations: in parallel across instances, serially within one. What is stored is the truth; after any crash the
/// next start goes on from the last committed turn. One process at a time runs a task hub. Thread-safe.
/// </summary>
internal sealed class DurableRuntime : IHostedService, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, OrchestrationInstance> _instances = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, bool> _loops = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<string, LocalFunction> _orchestrators;
    private readonly FunctionPipeline _pipeline;
    private readonly IServiceScopeFactory _scopes;
    private readonly JsonSerializerOptions _json;
    private readonly ILoggerFactory _loggers;
    private readonly SemaphoreSlim _turns;
    private Task _resuming = Task.CompletedTask;
    private int _disposed;

    public DurableRuntime(
        DurableStore store,
        FunctionCatalog catalog,
        FunctionPipeline pipeline,
        HostJson settings,
        IServiceScopeFactory scopes,
        IOptions<JsonSerializerOptions> json,
        TimeProvider time,
        ICommitPoints points,
        ILoggerFactory loggers)
    {
        Store = store;
        Time = time;
        Points = points;
        Logger = loggers.CreateLogger<DurableRuntime>();
        Stopping = _stopping.Token;
        Activities = new ActivityCaller(this, catalog, pipeline, scopes, json.Value, settings.MaxConcurrentActivities);
        _pipeline = pipeline;
        _scopes = scopes;
        _json = json.Value;
        _loggers = loggers;
        _turns = new SemaphoreSlim(settings.MaxConcurrentOrchestrators);
        _orchestrators = catalog.With<OrchestrationFunctionTrigger>()
            .ToDictionary(found => found.Trigger.Orchestration, found => found.Function, StringComparer.OrdinalIgnoreCase);
    }

    public DurableStore Store { get; }

    public TimeProvider Time { get; }

    public ICommitPoints Points { get; }

    public ILogger Logger { get; }

    public ActivityCaller Activities { get; }

    /// <summary>Cancelled when the host stops.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>How inputs and results are written.</summary>
    public JsonSerializerOptions Json => _json;

    /// <summary>Makes the store and lets unfinished orchestrations go on.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await Store.PrepareAsync(cancellationToken);
        _resuming = ResumeAsync();
    }

    /// <summary>Stops: turns and activities that run are given up and repeated after the next start.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _resuming.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_loops.Keys).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        // The container knows this object as itself and as a hosted service, and disposes it for each.
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await StopAsync(CancellationToken.None);
        _stopping.Dispose();
        _turns.Dispose();
        Activities.Dispose();
    }

    /// <summary>Whether the app has this orchestration.</summary>
    public bool Has(string orchestration) => _orchestrators.ContainsKey(orchestration);

    /// <summary>The orchestration in memory; null where it has ended or never was.</summary>
    public async Task<OrchestrationInstance?> FindActiveAsync(string instanceId, CancellationToken cancellation)
    {
        await _resumed.Task.WaitAsync(cancellation);
        return _instances.GetValueOrDefault(instanceId);
    }

    /// <summary>Lets a stored orchestration run in this process.</summary>
    public void Activate(string instanceId)
    {
        var instance = new OrchestrationInstance(instanceId, this);
        if (_instances.TryAdd(instanceId, instance))
        {
            var loop = Task.Run(() => LoopAsync(instance), CancellationToken.None);
            _loops.TryAdd(loop, true);
            _ = loop.ContinueWith(ended => _loops.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
        else
        {
            _instances[instanceId].Wake();
        }
    }

    /// <summary>Runs one turn of an orchestrator through the app's middleware.</summary>
    public async Task<TurnOutcome> RunTurnAsync(
        InstanceRecord record, IReadOnlyList<HistoryTurn> past, DateTime at, IReadOnlyList<DurableMessage> received, CancellationToken stopping)
    {
        await _turns.WaitAsync(stopping);
        try
        {
            await using var scope = _scopes.CreateAsyncScope();
            return OrchestratorRun.Execute(record, past, at, received, CallAsync, _json, _loggers);

            async Task<object?> CallAsync(Microsoft.DurableTask.TaskOrchestrationContext orchestration)
            {
                if (!_orchestrators.TryGetValue(record.Name, out var function))
                {
                    throw new InvalidOperationException($"There is no orchestrator function '{record.Name}'.");
                }

                var context = new LocalFunctionContext(function, orchestration, scope.ServiceProvider, stopping);
                await _pipeline.RunAsync(context);
                return context.Result;
            }
        }
        finally
        {
            _turns.Release();
        }
    }

    private async Task LoopAsync(OrchestrationInstance instance)
    {
        try
        {
            await instance.RunAsync(Stopping);
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            return;
        }

        _instances.TryRemove(KeyValuePair.Create(instance.InstanceId, instance));
    }

    private async Task ResumeAsync()
    {
        while (!Stopping.IsCancellationRequested)
        {
            try
            {
                var unfinished = await Store.ListUnfinishedAsync(Stopping);
                foreach (var instanceId in unfinished)
                {
                    Activate(instanceId);
                }

                if (unfinished.Count > 0)
                {
                    Logger.InstancesResumed(unfinished.Count);
                }

                _resumed.TrySetResult();
                return;
            }
            catch (Exception failure) when (!Stopping.IsCancellationRequested)
            {
                Logger.InstancesUnlisted(failure);
                await Task.Delay(TimeSpan.FromSeconds(1), Time, Stopping);
            }
        }
    }
}
