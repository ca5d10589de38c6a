using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Starts a function by the clock.</summary>
public sealed class TimerTriggerAttribute : TriggerBindingAttribute
{
    /// <summary>Takes the schedule.</summary>
    public TimerTriggerAttribute(string schedule) => Schedule = schedule;

    /// <summary>NCrontab expression of six fields (seconds first), or a time span.</summary>
    public string Schedule { get; }

    /// <summary>Whether the schedule is kept, so that a run that was missed is made up for.</summary>
    public bool UseMonitor { get; set; } = true;

    /// <summary>Whether the function also runs when the host starts.</summary>
    public bool RunOnStartup { get; set; }
}
