using System.Text.Json;

namespace Microsoft.DurableTask.Client;

/// <summary>An instance as it stood when it was asked for.</summary>
public sealed class OrchestrationMetadata
{
    /// <summary>Takes what never changes.</summary>
    public OrchestrationMetadata(string name, string instanceId)
    {
        Name = name;
        InstanceId = instanceId;
    }

    /// <summary>Name of the orchestration.</summary>
    public string Name { get; }

    /// <summary>Id of the instance.</summary>
    public string InstanceId { get; }

    /// <summary>Where it stands.</summary>
    public OrchestrationRuntimeStatus RuntimeStatus { get; init; }

    /// <summary>When it was scheduled.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it last changed.</summary>
    public DateTimeOffset LastUpdatedAt { get; init; }

    /// <summary>Its input as JSON; only where inputs and outputs were asked for.</summary>
    public string? SerializedInput { get; init; }

    /// <summary>Its output as JSON; only where inputs and outputs were asked for.</summary>
    public string? SerializedOutput { get; init; }

    /// <summary>Its custom status as JSON; only where inputs and outputs were asked for.</summary>
    public string? SerializedCustomStatus { get; init; }

    /// <summary>Why it failed.</summary>
    public TaskFailureDetails? FailureDetails { get; init; }

    /// <summary>Whether it goes on.</summary>
    public bool IsRunning => RuntimeStatus == OrchestrationRuntimeStatus.Running;

    /// <summary>Whether it has ended.</summary>
    public bool IsCompleted => RuntimeStatus is OrchestrationRuntimeStatus.Completed
        or OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated;

    internal JsonSerializerOptions? SerializerOptions { get; init; }

    /// <summary>The input.</summary>
    public T? ReadInputAs<T>() => Read<T>(SerializedInput);

    /// <summary>The output.</summary>
    public T? ReadOutputAs<T>() => Read<T>(SerializedOutput);

    /// <summary>The custom status.</summary>
    public T? ReadCustomStatusAs<T>() => Read<T>(SerializedCustomStatus);

    private T? Read<T>(string? json) => json is null ? default : JsonSerializer.Deserialize<T>(json, SerializerOptions);
}
