namespace LangTrain.Training.Optimization;

/// <summary>What is to become of a step, judged by its loss and gradient before its update.</summary>
internal enum StepVerdict
{
    /// <summary>The update may be made.</summary>
    Update,

    /// <summary>The step would only spread its NaN or follow an exploded loss: it is skipped.</summary>
    Skip,

    /// <summary>Too many steps in a row were bad: the weights themselves are.</summary>
    GiveUp,
}

/// <summary>Notices that a run has diverged: losses or gradients that are not finite, or a loss far above that of guessing.</summary>
/// <remarks>Changes no tensor. One bad step can be bad data; a row of them comes from bad weights, which no skipping mends.</remarks>
internal sealed class DivergenceWatch
{
    // A model that puts all on wrong tokens is beyond guessing by several times; one that merely learns badly is not.
    private const double Explosion = 3;
    private readonly int _limit;
    private readonly double _guessingLoss;

    /// <param name="limit">Bad steps in a row at which the run is given up, at least 1.</param>
    /// <param name="guessingLoss">The loss of a model that knows nothing.</param>
    /// <param name="inRow">The count to go on from, after a resume.</param>
    public DivergenceWatch(int limit, double guessingLoss, int inRow)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        (_limit, _guessingLoss) = (limit, guessingLoss);
        InRow = inRow;
    }

    /// <summary>Bad steps in a row, up to now.</summary>
    public int InRow { get; private set; }

    /// <summary>Judges one step before its update.</summary>
    /// <param name="loss">The step's loss.</param>
    /// <param name="gradientNorm">The norm of its gradients.</param>
    /// <param name="firstLoss">The run's first finite loss: a model may begin far from guessing.</param>
    /// <param name="isLast">No step comes after it that could fill up a row of bad ones: two are a row then.</param>
    public StepVerdict Judge(double loss, double gradientNorm, double? firstLoss, bool isLast)
    {
        if (double.IsFinite(loss) && double.IsFinite(gradientNorm) && loss <= Explosion * Math.Max(_guessingLoss, firstLoss ?? loss))
        {
            InRow = 0;
            return StepVerdict.Update;
        }

        InRow++;
        return InRow < (isLast ? Math.Min(_limit, 2) : _limit) ? StepVerdict.Skip : StepVerdict.GiveUp;
    }

    /// <summary>Forgets the bad steps, after a return to good weights.</summary>
    public void Reset() => InRow = 0;
}
