namespace LangTrain.Core.Usage;

/// <summary>What was used. Sums of these are usage as well.</summary>
public sealed record UsageAmounts
{
    /// <summary>API requests.</summary>
    public long Requests { get; init; }

    /// <summary>Tokens read.</summary>
    public long InputTokens { get; init; }

    /// <summary>Tokens made.</summary>
    public long OutputTokens { get; init; }

    /// <summary>Tokens trained.</summary>
    public long TrainedTokens { get; init; }

    /// <summary>Seconds of training.</summary>
    public double TrainingSeconds { get; init; }

    /// <summary>Both together.</summary>
    public static UsageAmounts operator +(UsageAmounts a, UsageAmounts b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return new()
        {
            Requests = a.Requests + b.Requests,
            InputTokens = a.InputTokens + b.InputTokens,
            OutputTokens = a.OutputTokens + b.OutputTokens,
            TrainedTokens = a.TrainedTokens + b.TrainedTokens,
            TrainingSeconds = a.TrainingSeconds + b.TrainingSeconds,
        };
    }

    /// <summary>Both together.</summary>
    public static UsageAmounts Add(UsageAmounts a, UsageAmounts b) => a + b;
}
