using System.Security.Cryptography;
using System.Text;

namespace LangTrain.Functions.FineTunes;

/// <summary>Tells events of our own Web PubSub from anybody else's posts. Immutable.</summary>
/// <remarks>
/// learn.microsoft.com/azure/azure-web-pubsub/reference-cloud-events: <c>ce-signature</c> is <c>sha256=</c> and the HMAC of the connection id
/// under an access key. With an identity there is no key to check with; then only what a connection may read anyway is sent, to that
/// connection alone, and a made-up connection id reaches nobody.
/// </remarks>
public sealed class RelayEventSignature
{
    private readonly byte[]? _key;
    private readonly string? _host;

    /// <summary>Reads key and host from the settings.</summary>
    public RelayEventSignature(LangTrainSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var parts = (settings.WebPubSubConnectionString ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries)
            .Select(part => part.Split('=', 2)).Where(part => part.Length == 2).ToDictionary(part => part[0].Trim(), part => part[1], StringComparer.OrdinalIgnoreCase);
        _key = parts.TryGetValue("AccessKey", out var key) ? Encoding.UTF8.GetBytes(key) : null;
        _host = (parts.TryGetValue("Endpoint", out var endpoint) ? new Uri(endpoint) : settings.WebPubSubEndpoint)?.Host;
    }

    /// <summary>Whether an origin is our Web PubSub.</summary>
    public bool IsOurs(string origin) => _host is not null && origin.Split(',', StringSplitOptions.TrimEntries)
        .Any(name => name.Equals(_host, StringComparison.OrdinalIgnoreCase) || (Uri.TryCreate(name, UriKind.Absolute, out var uri) && uri.Host.Equals(_host, StringComparison.OrdinalIgnoreCase)));

    /// <summary>Whether an event about a connection is signed; true where there is no key and the relay is one of ours by identity.</summary>
    public bool IsSigned(string connectionId, string signatures)
    {
        ArgumentNullException.ThrowIfNull(signatures);
        if (_key is null)
        {
            return _host is not null && connectionId.Length > 0;
        }

        var expected = Encoding.ASCII.GetBytes("sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(connectionId))));
        return signatures.Split(',', StringSplitOptions.TrimEntries)
            .Any(signature => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(signature.ToLowerInvariant()), expected));
    }
}
