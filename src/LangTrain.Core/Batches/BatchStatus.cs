namespace LangTrain.Core.Batches;

/// <summary>Where a batch stands. The names are stored; on the wire they are in snake_case.</summary>
public enum BatchStatus
{
    /// <summary>Its input is being checked.</summary>
    Validating,

    /// <summary>Its lines are being answered.</summary>
    InProgress,

    /// <summary>Every line has ended; the files of answers are being written.</summary>
    Finalizing,

    /// <summary>Done.</summary>
    Completed,

    /// <summary>Its input is no good, or the service could not go on.</summary>
    Failed,

    /// <summary>Its owner wants no more; what was answered is being written.</summary>
    Cancelling,

    /// <summary>Ended by its owner.</summary>
    Cancelled,

    /// <summary>Its time ran out before its last line ended.</summary>
    Expired,
}

/// <summary>What statuses mean.</summary>
public static class BatchStatuses
{
    /// <summary>Whether a batch of this status changes no more.</summary>
    public static bool IsTerminal(this BatchStatus status) =>
        status is BatchStatus.Completed or BatchStatus.Failed or BatchStatus.Cancelled or BatchStatus.Expired;
}
