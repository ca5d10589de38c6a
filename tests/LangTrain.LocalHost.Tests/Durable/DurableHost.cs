using System.Text.Json;
using LangTrain.LocalHost.Durable;
using LangTrain.LocalHost.Hosting;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace LangTrain.LocalHost.Tests.Durable;

/// <summary>The durable runtime over a real table, as one process would have it. Several over one hub, one after another, are restarts.</summary>
internal sealed class DurableHost : IAsyncDisposable
{
    private readonly DurableRuntime _runtime;
    private readonly ServiceProvider _services;

    public DurableHost(string connectionString, string hub, ICommitPoints? points = null, params Type[] functions)
    {
        var services = new ServiceCollection();
        var pipeline = new FunctionPipeline(services);
        _services = services.BuildServiceProvider();
        Store = new DurableStore(connectionString, hub);
        _runtime = new DurableRuntime(
            Store,
            FunctionCatalog.Of(functions.Length == 0 ? [typeof(DurableTestFunctions)] : functions),
            pipeline,
            new HostJson { TaskHub = hub },
            _services.GetRequiredService<IServiceScopeFactory>(),
            Options.Create(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower }),
            TimeProvider.System,
            points ?? new NoCommitPoints(),
            TestLog.Factory);
        Client = new LocalDurableTaskClient(_runtime);
    }

    public DurableTaskClient Client { get; }

    public DurableStore Store { get; }

    public Task StartAsync() => _runtime.StartAsync(CancellationToken.None);

    /// <summary>Runs an orchestration to its end.</summary>
    public async Task<OrchestrationMetadata> RunAsync(string name, object? input = null)
    {
        var id = await Client.ScheduleNewOrchestrationInstanceAsync(name, input);
        return await EndAsync(id);
    }

    public async Task<OrchestrationMetadata> EndAsync(string id)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        return await Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true, patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _runtime.DisposeAsync();
        await _services.DisposeAsync();
    }
}
