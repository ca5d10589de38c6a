namespace Microsoft.Azure.Functions.Worker;

/// <summary>Where a timer's schedule stands. All times are UTC.</summary>
public class ScheduleStatus
{
    /// <summary>The last run.</summary>
    public DateTime Last { get; set; }

    /// <summary>The next run.</summary>
    public DateTime Next { get; set; }

    /// <summary>When this was written.</summary>
    public DateTime LastUpdated { get; set; }
}
