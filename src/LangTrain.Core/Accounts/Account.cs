namespace LangTrain.Core.Accounts;

/// <summary>An account. Immutable.</summary>
/// <param name="Id"><c>user-…</c></param>
/// <param name="Name">For people.</param>
/// <param name="Email">Or null.</param>
/// <param name="Tier"><c>free</c>, <c>pro</c> or <c>enterprise</c>.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="RequestsPerMinute">Own limit of an enterprise account; null takes the tier's.</param>
/// <param name="RequestsPerDay">Own limit of an enterprise account; null takes the tier's.</param>
/// <param name="IsOperator">Whether it runs this installation: it makes and changes other accounts, and still sees nothing that is theirs.</param>
/// <param name="IsSuspended">Whether its keys are refused until an operator says otherwise.</param>
public sealed record Account(
    string Id,
    string Name,
    string? Email,
    string Tier,
    DateTimeOffset CreatedAt,
    int? RequestsPerMinute = null,
    int? RequestsPerDay = null,
    bool IsOperator = false,
    bool IsSuspended = false);
