using LangTrain.Contracts.FineTunes;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.FineTunes;

/// <summary>Turns what workers report into external events of the job's orchestration.</summary>
public static class TrainingEventsQueueFunctions
{
    /// <summary>One report. Coming twice, it wakes the orchestration twice, which looks at the job's row each time.</summary>
    [Function("HearTrainingEvent")]
    public static Task HearAsync(
        [QueueTrigger("training-events")] FineTuneSignal signal, [DurableClient] DurableTaskClient orchestrations, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(signal);
        ArgumentNullException.ThrowIfNull(orchestrations);
        return orchestrations.SignalAsync(signal, cancellation);
    }
}
