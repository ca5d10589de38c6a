namespace LangTrain.Contracts.Accounts;

/// <summary>Answer of <c>GET /usage</c>.</summary>
/// <param name="From">First day, UTC.</param>
/// <param name="To">Last day, UTC.</param>
/// <param name="GroupBy"><c>day</c>, <c>key</c> or <c>model</c>.</param>
/// <param name="Data">One entry a group.</param>
/// <param name="Total">All of it.</param>
public sealed record UsageAnswer(DateOnly From, DateOnly To, string GroupBy, IReadOnlyList<UsageGroupAnswer> Data, UsageAmountsAnswer Total)
{
    /// <summary>Always <c>usage</c>.</summary>
    public string Object { get; init; } = "usage";
}

/// <summary>Usage of a day, a key or a model.</summary>
/// <param name="Group">The day, the key's id or the model's id; <c>none</c> for what has no key or no model.</param>
/// <param name="Usage">What was used.</param>
public sealed record UsageGroupAnswer(string Group, UsageAmountsAnswer Usage);

/// <summary>What was used.</summary>
/// <param name="Requests">API requests.</param>
/// <param name="InputTokens">Tokens read.</param>
/// <param name="OutputTokens">Tokens made.</param>
/// <param name="TrainedTokens">Tokens trained.</param>
/// <param name="TrainingSeconds">Seconds of training.</param>
public sealed record UsageAmountsAnswer(long Requests, long InputTokens, long OutputTokens, long TrainedTokens, double TrainingSeconds);
