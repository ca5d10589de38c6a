using System.Security.Cryptography;
using System.Text;

namespace LangTrain.Core.Accounts;

/// <summary>Makes API keys and the hash under which they are stored.</summary>
public static class ApiKeySecret
{
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int ShownCharacters = 7;

    /// <summary>Longest text that is taken for a key at all.</summary>
    public const int MaxLength = 256;

    /// <summary>A new key: <c>lt-</c> and 43 random characters (256 bits).</summary>
    public static string New() => "lt-" + RandomNumberGenerator.GetString(Alphabet, 43);

    /// <summary>SHA-256 in lower-case hex. A plain hash is enough: a key has 256 random bits, there is nothing to guess.</summary>
    public static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>What may be shown of a key for good.</summary>
    public static string Display(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        return secret.Length <= ShownCharacters * 2 ? secret[..Math.Min(3, secret.Length)] : secret[..ShownCharacters];
    }
}
