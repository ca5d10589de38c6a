namespace LangTrain.Training;

/// <summary>How the owner of a run stops it from outside, between two micro-steps.</summary>
/// <remarks>
/// Thread-safe: any thread may ask, the training thread looks after every micro-step. To cancel is to give up: the run ends
/// with <see cref="OperationCanceledException"/> and the checkpoints written so far stay. To pause is to hand over: the run
/// writes a checkpoint of its last whole step and returns <see cref="TrainingOutcome.Paused"/>.
/// </remarks>
public sealed class TrainingControl
{
    private volatile bool _isPauseRequested;

    /// <summary>Makes the control of one run.</summary>
    /// <param name="cancellation">Cancels the run.</param>
    public TrainingControl(CancellationToken cancellation = default) => Cancellation = cancellation;

    /// <summary>Cancels the run.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>True from the first <see cref="RequestPause"/> on.</summary>
    public bool IsPauseRequested => _isPauseRequested;

    /// <summary>Asks the run to write a checkpoint and return.</summary>
    public void RequestPause() => _isPauseRequested = true;
}
