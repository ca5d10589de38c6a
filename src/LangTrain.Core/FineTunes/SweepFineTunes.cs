using LangTrain.Contracts.FineTunes;

namespace LangTrain.Core.FineTunes;

/// <summary>Finds jobs that somebody died over: written but not started, or asked to change and nobody woken. Thread-safe.</summary>
public sealed class SweepFineTunes(IFineTuneStore store, TimeProvider time)
{
    // Younger than this the request that wrote it is most likely still at it.
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(30);

    /// <summary>Jobs that have not ended and should have an orchestration, with whether it must be woken for a wish of the owner.</summary>
    public async IAsyncEnumerable<(FineTuneRef Job, bool IsWished)> FindAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (var job in store.ListActiveAsync(cancellation))
        {
            var row = await store.FindAsync(job, cancellation);
            if (row is { } found && !FineTuneStateMachine.IsTerminal(found.Value.Status) && time.GetUtcNow() - found.Value.CreatedAt > Age)
            {
                yield return (job, found.Value.Requested != FineTuneControl.None);
            }
        }
    }
}
