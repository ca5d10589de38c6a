namespace LangTrain.Worker.FineTunes;

/// <summary>Why an attempt stops before its training is done.</summary>
internal enum StopReason
{
    /// <summary>It does not.</summary>
    None,

    /// <summary>The owner cancelled.</summary>
    Cancelled,

    /// <summary>The owner paused: a checkpoint is written first.</summary>
    Paused,

    /// <summary>This process must go: a checkpoint is written first.</summary>
    Released,

    /// <summary>Another worker may have the job: nothing more is written or said.</summary>
    LeaseLost,
}
