using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace LangTrain.Functions.FineTunes;

/// <summary>Checks the token that Web PubSub sends with its events where it has an identity instead of keys. Thread-safe.</summary>
/// <remarks>
/// learn.microsoft.com/azure/azure-web-pubsub/howto-use-managed-identity: the event handler's <c>auth</c> is <c>ManagedIdentity</c>. Any
/// identity of the tenant can get a token for <see cref="Audience"/>; only one has the object id of our Web PubSub.
/// </remarks>
public sealed class RelayEventToken
{
    /// <summary>Resource that the token is for; the same stands on the hub (infra/modules/web-pubsub-hub.bicep).</summary>
    public const string Audience = "https://webpubsub.azure.com";

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false };
    private readonly TokenValidationParameters _rules;
    private readonly string _principal;

    /// <summary>Trusts the signing keys that the tenant publishes.</summary>
    /// <param name="tenant">Id of the Entra tenant.</param>
    /// <param name="principal">Object id of Web PubSub's identity.</param>
    public RelayEventToken(string tenant, string principal)
        : this(tenant, principal, new ConfigurationManager<OpenIdConnectConfiguration>(
            $"https://login.microsoftonline.com/{tenant}/v2.0/.well-known/openid-configuration", new OpenIdConnectConfigurationRetriever()))
    {
    }

    /// <summary>Trusts the keys of <paramref name="keys"/>.</summary>
    internal RelayEventToken(string tenant, string principal, BaseConfigurationManager keys)
    {
        _principal = principal;
        _rules = new TokenValidationParameters
        {
            ValidAudience = Audience,
            // Tokens of managed identities are of version 1 for most resources.
            ValidIssuers = [$"https://sts.windows.net/{tenant}/", $"https://login.microsoftonline.com/{tenant}/v2.0"],
            ConfigurationManager = keys,
            ValidAlgorithms = [SecurityAlgorithms.RsaSha256],
        };
    }

    /// <summary>Whether a header is <c>Bearer</c> and a token of our Web PubSub that counts now.</summary>
    /// <param name="authorization">The request's <c>Authorization</c>.</param>
    public async Task<bool> IsOursAsync(string authorization)
    {
        ArgumentNullException.ThrowIfNull(authorization);
        const string Scheme = "Bearer ";
        if (!authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var checkedToken = await _handler.ValidateTokenAsync(authorization[Scheme.Length..].Trim(), _rules);
        return checkedToken.IsValid && checkedToken.ClaimsIdentity.FindFirst("oid")?.Value == _principal;
    }
}
