using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace LangTrain.Core.Accounts;

/// <summary>Makes secrets out of the installation's own one (<c>LANGTRAIN_SIGNING_KEY</c>), so that none has to be stored to be known again. Immutable.</summary>
/// <remarks>HMAC-SHA256 of what the secret is for: whoever knows one of them knows nothing of the others.</remarks>
public sealed class DerivedSecrets
{
    /// <summary>Fewest characters of the installation's secret.</summary>
    public const int LeastCharacters = 32;

    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int KeyCharacters = 43;

    private readonly byte[]? _key;

    /// <summary>Secrets of an installation.</summary>
    /// <param name="signingKey">Its secret, at least <see cref="LeastCharacters"/> characters; null where none is set: then nothing can be derived.</param>
    public DerivedSecrets(string? signingKey) => _key = signingKey is null ? null : Encoding.UTF8.GetBytes(signingKey);

    /// <summary>Whether there is an installation's secret.</summary>
    public bool IsAvailable => _key is not null;

    /// <summary>An API key, by the id that it is to have: <c>lt-</c> and 43 characters, as <see cref="ApiKeySecret.New"/> makes them.</summary>
    /// <exception cref="InvalidOperationException">There is no installation's secret.</exception>
    public string ApiKey(string keyId)
    {
        var number = new BigInteger(Bytes("api-key\n" + keyId), isUnsigned: true);
        var text = new char[KeyCharacters];
        for (var i = 0; i < text.Length; i++)
        {
            number = BigInteger.DivRem(number, Alphabet.Length, out var digit);
            text[i] = Alphabet[(int)digit];
        }

        return "lt-" + new string(text);
    }

    /// <summary>32 bytes for one purpose.</summary>
    /// <exception cref="InvalidOperationException">There is no installation's secret.</exception>
    public byte[] Bytes(string purpose) => HMACSHA256.HashData(
        _key ?? throw new InvalidOperationException("LANGTRAIN_SIGNING_KEY is not set."), Encoding.UTF8.GetBytes(purpose));
}
