using System.Security.Cryptography;
using System.Text;

namespace LangTrain.Functions.FineTunes;

/// <summary>Tells events of our own Web PubSub from anybody else's posts: by its signature, or where it has no keys by its identity's token. Thread-safe.</summary>
/// <remarks>
/// learn.microsoft.com/azure/azure-web-pubsub/reference-cloud-events: <c>ce-signature</c> is <c>sha256=</c> and the HMAC of the connection id
/// under an access key.
/// </remarks>
public sealed class RelayEventSignature
{
    private readonly byte[]? _key;
    private readonly string? _host;
    private readonly RelayEventToken? _token;

    /// <summary>Reads key, host and identity from the settings.</summary>
    public RelayEventSignature(LangTrainSettings settings)
        : this(settings, settings is { TenantId: { } tenant, WebPubSubPrincipalId: { } principal } ? new RelayEventToken(tenant, principal) : null)
    {
    }

    /// <summary>As above, with the check of tokens given.</summary>
    internal RelayEventSignature(LangTrainSettings settings, RelayEventToken? token)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var parts = (settings.WebPubSubConnectionString ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries)
            .Select(part => part.Split('=', 2)).Where(part => part.Length == 2).ToDictionary(part => part[0].Trim(), part => part[1], StringComparer.OrdinalIgnoreCase);
        _key = parts.TryGetValue("AccessKey", out var key) ? Encoding.UTF8.GetBytes(key) : null;
        _host = (parts.TryGetValue("Endpoint", out var endpoint) ? new Uri(endpoint) : settings.WebPubSubEndpoint)?.Host;
        _token = token;
    }

    /// <summary>Whether an origin is our Web PubSub.</summary>
    public bool IsOurs(string origin) => _host is not null && origin.Split(',', StringSplitOptions.TrimEntries)
        .Any(name => name.Equals(_host, StringComparison.OrdinalIgnoreCase) || (Uri.TryCreate(name, UriKind.Absolute, out var uri) && uri.Host.Equals(_host, StringComparison.OrdinalIgnoreCase)));

    /// <summary>Whether an event about a connection comes from our Web PubSub; false where there is nothing to tell by.</summary>
    /// <param name="connectionId"><c>ce-connectionId</c>.</param>
    /// <param name="signatures"><c>ce-signature</c>.</param>
    /// <param name="authorization"><c>Authorization</c>.</param>
    public Task<bool> IsGenuineAsync(string connectionId, string signatures, string authorization)
    {
        ArgumentNullException.ThrowIfNull(signatures);
        if (_key is null)
        {
            return _token?.IsOursAsync(authorization) ?? Task.FromResult(false);
        }

        var expected = Encoding.ASCII.GetBytes("sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(connectionId))));
        return Task.FromResult(signatures.Split(',', StringSplitOptions.TrimEntries)
            .Any(signature => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(signature.ToLowerInvariant()), expected)));
    }
}
