namespace LangTrain.Training.Optimization;

/// <summary>The learning rate of every optimizer step: linear warmup, then the chosen decay down to zero.</summary>
/// <remarks>
/// A pure function of the step, so that a resumed run needs nothing but the step number. Cosine decay is arXiv:1608.03983,
/// one cycle without restarts.
/// </remarks>
public sealed class LearningRateSchedule
{
    private readonly LearningRateDecay _decay;
    private readonly double _peak;

    /// <summary>Makes the schedule of one run.</summary>
    /// <param name="decay">The form of the decay after the warmup.</param>
    /// <param name="peak">The highest learning rate, reached by the last step of the warmup; more than 0.</param>
    /// <param name="warmupSteps">Steps of linear warmup, 0 for none; cut to <paramref name="totalSteps"/>.</param>
    /// <param name="totalSteps">Optimizer steps of the whole run, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public LearningRateSchedule(LearningRateDecay decay, double peak, int warmupSteps, int totalSteps)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(peak);
        ArgumentOutOfRangeException.ThrowIfNegative(warmupSteps);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(totalSteps);
        _decay = decay;
        _peak = peak;
        WarmupSteps = Math.Min(warmupSteps, totalSteps);
        TotalSteps = totalSteps;
    }

    /// <summary>Steps of linear warmup.</summary>
    public int WarmupSteps { get; }

    /// <summary>Optimizer steps of the whole run.</summary>
    public int TotalSteps { get; }

    /// <summary>The learning rate of one step.</summary>
    /// <param name="step">The step, counted from 0.</param>
    /// <returns>
    /// In warmup (step + 1) / warmup of the peak, so that the first step already learns; after it the decay, which would
    /// reach 0 one step past the last (constant: the peak).
    /// </returns>
    public double At(int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        if (step < WarmupSteps)
        {
            return _peak * (step + 1) / WarmupSteps;
        }

        var progress = Math.Min(1.0, (double)(step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps));
        return _decay switch
        {
            LearningRateDecay.Cosine => _peak * 0.5 * (1 + Math.Cos(Math.PI * progress)),
            LearningRateDecay.Linear => _peak * (1 - progress),
            LearningRateDecay.Constant => _peak,
            _ => throw new InvalidOperationException($"Unknown decay {_decay}."),
        };
    }
}
