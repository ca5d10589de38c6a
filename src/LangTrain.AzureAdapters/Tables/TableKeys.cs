using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Turns any text into a table key and back.</summary>
/// <remarks>
/// Keys may not hold <c>/ \ # ?</c> or control characters and have at most 1 KiB. Letters, digits and <c>- . : _ ~</c> stand for themselves;
/// every other UTF-8 byte becomes <c>!</c> and two hex digits. Plain ids so stay readable and sort as they are.
/// </remarks>
internal static class TableKeys
{
    // 1 KiB are 512 characters in UTF-16; some room is left for what stores put before the key.
    private const int MaxCharacters = 400;
    private const string HashedPrefix = "!!";

    /// <summary>The key of a text. A text whose key would be too long gets its SHA-256, which <see cref="Unescape"/> does not turn back.</summary>
    public static string Escape(string text)
    {
        if (text.Length <= MaxCharacters && text.All(IsPlain))
        {
            return text;
        }

        var key = new StringBuilder(text.Length + 16);
        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            if (value < 128 && IsPlain((char)value))
            {
                key.Append((char)value);
            }
            else
            {
                key.Append('!').Append(value.ToString("X2", CultureInfo.InvariantCulture));
            }
        }

        return key.Length <= MaxCharacters
            ? key.ToString()
            : HashedPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>The text of a key that <see cref="Escape"/> made.</summary>
    /// <exception cref="FormatException">It did not.</exception>
    public static string Unescape(string key)
    {
        if (!key.Contains('!', StringComparison.Ordinal))
        {
            return key;
        }

        var bytes = new List<byte>(key.Length);
        for (var i = 0; i < key.Length; i++)
        {
            if (key[i] != '!')
            {
                bytes.Add((byte)key[i]);
            }
            else if (i + 2 < key.Length && byte.TryParse(key.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes.Add(value);
                i += 2;
            }
            else
            {
                throw new FormatException($"'{key}' is not an escaped table key.");
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>Partition of an account's rows.</summary>
    public static string Owner(string accountId) => "a-" + Escape(accountId);

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or ':' or '_' or '~';
}
