using System.Text.Json;
using Azure;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace LangTrain.LocalHost.Durable;

/// <summary>The app's client of its orchestrations. Thread-safe.</summary>
internal sealed class LocalDurableTaskClient(DurableRuntime runtime) : DurableTaskClient("local")
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <exception cref="ArgumentException">The app has no such orchestration.</exception>
    /// <exception cref="InvalidOperationException">An instance with this id has not ended.</exception>
    public override async Task<string> ScheduleNewOrchestrationInstanceAsync(
        TaskName orchestratorName, object? input = null, StartOrchestrationOptions? options = null, CancellationToken cancellation = default)
    {
        if (!runtime.Has(orchestratorName.Name))
        {
            throw new ArgumentException($"The function '{orchestratorName.Name}' doesn't exist or is not an orchestrator.", nameof(orchestratorName));
        }

        var instanceId = options?.InstanceId ?? Guid.NewGuid().ToString("N");
        var earlier = await runtime.Store.FindAsync(instanceId, cancellation);
        if (earlier is { IsEnded: false })
        {
            throw AlreadyExists(instanceId, null);
        }

        while (earlier is not null && await runtime.FindActiveAsync(instanceId, cancellation) is not null)
        {
            // Its end is stored; its loop is about to notice.
            await Task.Delay(10, cancellation);
        }

        var now = runtime.Time.GetUtcNow();
        var record = new InstanceRecord
        {
            InstanceId = instanceId,
            Name = orchestratorName.Name,
            Status = OrchestrationRuntimeStatus.Pending,
            Generation = (earlier?.Generation ?? 0) + 1,
            CreatedAt = now,
            LastUpdatedAt = now,
            StartAt = options?.StartAt,
            Input = Write(input),
            ETag = earlier?.ETag ?? default,
        };
        try
        {
            runtime.Points.Reach(CommitPoint.BeforeMessage, instanceId);
            await runtime.Store.CreateAsync(record, new DurableMessage { Kind = DurableMessageKind.Start }, cancellation);
            runtime.Points.Reach(CommitPoint.AfterMessage, instanceId);
        }
        catch (RequestFailedException taken) when (taken.Status is 409 or 412)
        {
            throw AlreadyExists(instanceId, taken);
        }

        runtime.Activate(instanceId);
        return instanceId;
    }

    /// <exception cref="InvalidOperationException">There is no such instance, or it has ended; Azure's client throws then, too.</exception>
    public override Task RaiseEventAsync(string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default) =>
        SendAsync(
            instanceId,
            new DurableMessage { Kind = DurableMessageKind.EventRaised, Name = eventName, Payload = Write(eventPayload) },
            $"event '{eventName}' cannot be raised",
            cancellation);

    public override Task SuspendInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        SendAsync(instanceId, new DurableMessage { Kind = DurableMessageKind.Suspend, Payload = Write(reason) }, "it cannot be suspended", cancellation);

    public override Task ResumeInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        SendAsync(instanceId, new DurableMessage { Kind = DurableMessageKind.Resume, Payload = Write(reason) }, "it cannot be resumed", cancellation);

    public override Task TerminateInstanceAsync(
        string instanceId, TerminateInstanceOptions? options = null, CancellationToken cancellation = default) =>
        SendAsync(
            instanceId,
            new DurableMessage { Kind = DurableMessageKind.Terminate, Payload = Write(options?.Output) },
            "it cannot be terminated",
            cancellation);

    public override async Task<OrchestrationMetadata?> GetInstancesAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        await runtime.Store.FindAsync(instanceId, cancellation) is { } record ? Metadata(record, getInputsAndOutputs) : null;

    public override Task<OrchestrationMetadata> WaitForInstanceStartAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        WaitAsync(instanceId, getInputsAndOutputs, record => record.Status != OrchestrationRuntimeStatus.Pending, cancellation);

    public override Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        WaitAsync(instanceId, getInputsAndOutputs, record => record.IsEnded, cancellation);

    public override async Task<PurgeResult> PurgeInstanceAsync(
        string instanceId, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        if (await runtime.Store.FindAsync(instanceId, cancellation) is not { IsEnded: true })
        {
            return new PurgeResult(0);
        }

        await runtime.Store.DeleteAsync(instanceId, cancellation);
        return new PurgeResult(1);
    }

    private static InvalidOperationException AlreadyExists(string instanceId, Exception? inner) =>
        new($"An Orchestration instance with the ID {instanceId} already exists.", inner);

    private async Task SendAsync(string instanceId, DurableMessage message, string refusal, CancellationToken cancellation)
    {
        if (await runtime.FindActiveAsync(instanceId, cancellation) is { } instance && await instance.AppendAsync(message, cancellation))
        {
            return;
        }

        throw new InvalidOperationException(await runtime.Store.FindAsync(instanceId, cancellation) is { } record
            ? $"The orchestration {instanceId} is {record.Status}: {refusal}."
            : $"There is no orchestration {instanceId}: {refusal}.");
    }

    private async Task<OrchestrationMetadata> WaitAsync(
        string instanceId, bool details, Predicate<InstanceRecord> reached, CancellationToken cancellation)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var record = await runtime.Store.FindAsync(instanceId, cancellation)
                ?? throw new InvalidOperationException($"There is no orchestration {instanceId}.");
            if (reached(record))
            {
                return Metadata(record, details);
            }

            await Task.Delay(pause, runtime.Time, cancellation);
        }
    }

    private OrchestrationMetadata Metadata(InstanceRecord record, bool details) => new(record.Name, record.InstanceId)
    {
        RuntimeStatus = record.Status,
        CreatedAt = record.CreatedAt,
        LastUpdatedAt = record.LastUpdatedAt,
        SerializedInput = details ? record.Input : null,
        SerializedOutput = details ? record.Output : null,
        SerializedCustomStatus = details ? record.CustomStatus : null,
        FailureDetails = record.Failure,
        SerializerOptions = runtime.Json,
    };

    private string? Write(object? value) => value is null ? null : JsonSerializer.Serialize(value, value.GetType(), runtime.Json);
}
