using System.Collections.Concurrent;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.Tests.Hosting;

/// <summary>Takes note of what is started, and runs nothing. Thread-safe.</summary>
internal sealed class RecordingDurableTaskClient() : DurableTaskClient("test")
{
    private readonly ConcurrentDictionary<string, string> _started = new(StringComparer.Ordinal);

    /// <summary>Ids of the instances that were started.</summary>
    public IEnumerable<string> Started => _started.Keys;

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public override Task<string> ScheduleNewOrchestrationInstanceAsync(
        TaskName orchestratorName, object? input = null, StartOrchestrationOptions? options = null, CancellationToken cancellation = default)
    {
        _started[options!.InstanceId!] = orchestratorName.Name;
        return Task.FromResult(options.InstanceId!);
    }

    public override Task RaiseEventAsync(string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default) =>
        Task.CompletedTask;

    public override Task<OrchestrationMetadata?> GetInstancesAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        Task.FromResult(_started.TryGetValue(instanceId, out var name) ? new OrchestrationMetadata(name, instanceId) : null);

    public override Task<OrchestrationMetadata> WaitForInstanceStartAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) => throw new NotSupportedException();

    public override Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) => throw new NotSupportedException();

    public override Task SuspendInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) => throw new NotSupportedException();

    public override Task ResumeInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) => throw new NotSupportedException();
}
