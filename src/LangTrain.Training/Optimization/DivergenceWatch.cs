namespace LangTrain.Training.Optimization;

/// <summary>Counts steps in a row without a finite loss and gradient, and gives up after too many.</summary>
internal sealed class DivergenceWatch
{
    private readonly int _limit;

    /// <param name="limit">Non-finite steps in a row at which the run fails, at least 1.</param>
    /// <param name="inRow">The count to go on from, after a resume.</param>
    public DivergenceWatch(int limit, int inRow)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        _limit = limit;
        InRow = inRow;
    }

    /// <summary>Non-finite steps in a row, up to now.</summary>
    public int InRow { get; private set; }

    /// <summary>Judges one step before its update.</summary>
    /// <returns>True if the update may be made, false if the step is to be skipped.</returns>
    /// <exception cref="TrainingDivergedException">The limit is reached.</exception>
    public bool Allows(int step, double loss, double gradientNorm)
    {
        if (double.IsFinite(loss) && double.IsFinite(gradientNorm))
        {
            InRow = 0;
            return true;
        }

        InRow++;
        return InRow < _limit ? false : throw new TrainingDivergedException(step, InRow);
    }
}
