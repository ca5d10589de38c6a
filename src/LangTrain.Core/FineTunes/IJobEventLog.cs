using LangTrain.Contracts.FineTunes;

namespace LangTrain.Core.FineTunes;

/// <summary>The ordered logs of jobs: one sequence a job, written by the service and by workers at once. Thread-safe.</summary>
public interface IJobEventLog
{
    /// <summary>
    /// Appends events in order, leaving out those whose key is in the log already, and all of them once the log tells of the job's end: readers stop there, and
    /// what comes later is of a worker that was thought lost.
    /// </summary>
    /// <returns>The events that were appended now, with their sequence numbers.</returns>
    /// <remarks>All or none, also when the caller dies: one storage write. Telling the same twice is harmless.</remarks>
    Task<IReadOnlyList<JobEvent>> AppendAsync(FineTuneRef job, IReadOnlyList<JobEventDraft> events, CancellationToken cancellation = default);

    /// <summary>Reads the events after a sequence number (0: all), in order, as far as they were stored when the read began.</summary>
    IAsyncEnumerable<JobEvent> ReadAsync(FineTuneRef job, long afterSequence = 0, CancellationToken cancellation = default);
}
