using System.Text.Json.Serialization;

namespace LangTrain.Core.FineTunes;

/// <summary>What a job's orchestration does next.</summary>
public enum FineTuneStep
{
    /// <summary>Waits for a signal, or <see cref="SettledFineTune.WaitSeconds"/>.</summary>
    [JsonStringEnumMemberName("wait")] Wait,

    /// <summary>Hands the job to the workers, by <see cref="QueueTraining"/>.</summary>
    [JsonStringEnumMemberName("queue")] Queue,

    /// <summary>Nothing: the job has ended.</summary>
    [JsonStringEnumMemberName("done")] Done,
}

/// <summary>Answer of <see cref="SettleFineTune"/>. Kept in the orchestration's history.</summary>
/// <param name="Step">What to do next.</param>
/// <param name="WaitSeconds">How long to wait at most, with <see cref="FineTuneStep.Wait"/>.</param>
public sealed record SettledFineTune(FineTuneStep Step, double WaitSeconds = 0);
