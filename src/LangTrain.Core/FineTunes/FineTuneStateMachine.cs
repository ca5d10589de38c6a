namespace LangTrain.Core.FineTunes;

/// <summary>The moves of a fine-tune. Every change of <see cref="FineTune.Status"/> goes through here.</summary>
public static class FineTuneStateMachine
{
    private static readonly Dictionary<FineTuneStatus, FineTuneStatus[]> Moves = new()
    {
        [FineTuneStatus.Created] = [FineTuneStatus.Validating, FineTuneStatus.Cancelled, FineTuneStatus.Failed],
        [FineTuneStatus.Validating] = [FineTuneStatus.Queued, FineTuneStatus.Cancelled, FineTuneStatus.Failed],
        // Queued to Queued: a lost or given-back attempt is queued again under the next attempt number.
        [FineTuneStatus.Queued] = [FineTuneStatus.Running, FineTuneStatus.Queued, FineTuneStatus.Paused, FineTuneStatus.Cancelled, FineTuneStatus.Failed],
        [FineTuneStatus.Running] = [FineTuneStatus.Completed, FineTuneStatus.Failed, FineTuneStatus.Cancelled, FineTuneStatus.Paused, FineTuneStatus.Queued],
        [FineTuneStatus.Paused] = [FineTuneStatus.Queued, FineTuneStatus.Cancelled, FineTuneStatus.Failed],
        [FineTuneStatus.Completed] = [],
        [FineTuneStatus.Failed] = [],
        [FineTuneStatus.Cancelled] = [],
    };

    /// <summary>Whether a job that stands at <paramref name="from"/> may go to <paramref name="to"/>.</summary>
    public static bool CanMove(FineTuneStatus from, FineTuneStatus to) => Moves[from].Contains(to);

    /// <summary>Whether nothing follows.</summary>
    public static bool IsTerminal(FineTuneStatus status) => Moves[status].Length == 0;
}
