namespace LangTrain.Contracts.Accounts;

/// <summary>Answer of <c>GET /limits</c>.</summary>
/// <param name="Tier">The account's tier.</param>
/// <param name="Requests">Its windows, the minute first.</param>
public sealed record LimitsAnswer(string Tier, IReadOnlyList<LimitWindowAnswer> Requests)
{
    /// <summary>Always <c>limits</c>.</summary>
    public string Object { get; init; } = "limits";
}

/// <summary>One window.</summary>
/// <param name="Window"><c>minute</c> or <c>day</c>, UTC.</param>
/// <param name="Limit">Requests allowed.</param>
/// <param name="Remaining">Requests left, as this instance knows it.</param>
/// <param name="ResetAt">When it begins anew, UTC.</param>
public sealed record LimitWindowAnswer(string Window, long Limit, long Remaining, DateTimeOffset ResetAt);
