using LangTrain.Core.Errors;

namespace LangTrain.Core.Accounts;

/// <summary>Who makes the request at hand; put there by the authentication middleware. Immutable.</summary>
/// <param name="Account">The account.</param>
/// <param name="Key">The key that was shown.</param>
/// <param name="RequestId">The request's id, as on the answer's <c>x-request-id</c>.</param>
public sealed record Caller(Account Account, ApiKey Key, string RequestId)
{
    /// <summary>To be told once which model the request is about, so that its usage is counted there; null for work that is no request of its own.</summary>
    public Action<string>? ModelKnown { get; init; }

    /// <summary>The account's id.</summary>
    public string AccountId => Account.Id;

    /// <summary>Ends the request if the key lacks a scope.</summary>
    /// <exception cref="ApiException">403.</exception>
    public void Require(string scope)
    {
        if (!Scopes.Allow(Key.Scopes, scope))
        {
            throw ApiErrors.MissingScope(scope);
        }
    }
}
