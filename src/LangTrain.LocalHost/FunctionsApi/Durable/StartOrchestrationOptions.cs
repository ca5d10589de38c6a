namespace Microsoft.DurableTask;

/// <summary>How an orchestration is started.</summary>
public record StartOrchestrationOptions
{
    /// <summary>Takes an id and a time.</summary>
    public StartOrchestrationOptions(string? InstanceId = null, DateTimeOffset? StartAt = default)
    {
        this.InstanceId = InstanceId;
        this.StartAt = StartAt;
    }

    /// <summary>A copy.</summary>
    public StartOrchestrationOptions(StartOrchestrationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        InstanceId = options.InstanceId;
        StartAt = options.StartAt;
    }

    /// <summary>Id of the instance; made where it is absent.</summary>
    public string? InstanceId { get; init; }

    /// <summary>When it begins; at once where it is absent.</summary>
    public DateTimeOffset? StartAt { get; init; }
}
