using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace LangTrain.Core;

/// <summary>Makes ids: a prefix, then 26 characters of Crockford's base 32 in lower case, 48 bits of time (ms) before 80 random bits.</summary>
/// <remarks>So ids sort by their time of making and cannot be guessed (github.com/ulid/spec).</remarks>
public static class Ids
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private static readonly SearchValues<char> Characters = SearchValues.Create(Alphabet);
    private const int TimeCharacters = 10, RandomCharacters = 16;

    /// <summary>A new id, <c>prefix-…</c>.</summary>
    public static string New(string prefix, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        Span<char> body = stackalloc char[TimeCharacters + RandomCharacters];
        WriteTime(body, time.GetUtcNow());
        RandomNumberGenerator.GetItems(Alphabet, body[TimeCharacters..]);
        return string.Concat(prefix, "-", body);
    }

    /// <summary>The id of something that is made once for what it is made from: the same time and text give the same id.</summary>
    /// <remarks>Its last 80 bits are of the text's SHA-256; whoever knows the text can guess it.</remarks>
    public static string Derived(string prefix, DateTimeOffset at, string from)
    {
        ArgumentNullException.ThrowIfNull(from);
        Span<char> body = stackalloc char[TimeCharacters + RandomCharacters];
        WriteTime(body, at);
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(from));
        for (var i = 0; i < RandomCharacters; i++)
        {
            body[TimeCharacters + i] = Alphabet[hash[i] & 31];
        }

        return string.Concat(prefix, "-", body);
    }

    /// <summary>The least id of a moment: those made before it are less, those made at it or later are not. For ranges of time.</summary>
    public static string FirstAt(string prefix, DateTimeOffset moment)
    {
        Span<char> body = stackalloc char[TimeCharacters + RandomCharacters];
        WriteTime(body, moment);
        body[TimeCharacters..].Fill(Alphabet[0]);
        return string.Concat(prefix, "-", body);
    }

    /// <summary>The part of an id behind its prefix, made of a hash: for things whose id follows from what they are.</summary>
    public static string BodyOf(ReadOnlySpan<byte> hash)
    {
        Span<char> body = stackalloc char[TimeCharacters + RandomCharacters];
        for (var i = 0; i < body.Length; i++)
        {
            body[i] = Alphabet[hash[i] & 31];
        }

        return new string(body);
    }

    /// <summary>Whether a text has the form of an id of <see cref="New"/> with this prefix.</summary>
    public static bool IsOf(string prefix, string text)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentNullException.ThrowIfNull(text);
        return text.Length == prefix.Length + 1 + TimeCharacters + RandomCharacters && text.StartsWith(prefix, StringComparison.Ordinal)
            && text[prefix.Length] == '-' && text.AsSpan(prefix.Length + 1).IndexOfAnyExcept(Characters) < 0;
    }

    /// <summary>A row key under which newer ids sort before older ones.</summary>
    /// <param name="id">An id of <see cref="New"/>, or any other text, which then sorts after all ids.</param>
    public static string NewestFirst(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        var start = id.LastIndexOf('-') + 1;
        if (id.Length - start != TimeCharacters + RandomCharacters)
        {
            return "~" + id;
        }

        return string.Create(TimeCharacters + 1 + id.Length, (id, start), static (key, from) =>
        {
            for (var i = 0; i < TimeCharacters; i++)
            {
                var digit = Alphabet.IndexOf(from.id[from.start + i], StringComparison.Ordinal);
                key[i] = digit < 0 ? 'z' : Alphabet[31 - digit];
            }

            key[TimeCharacters] = '-';
            from.id.CopyTo(key[(TimeCharacters + 1)..]);
        });
    }

    private static void WriteTime(Span<char> body, DateTimeOffset moment)
    {
        var milliseconds = Math.Max(0, moment.ToUnixTimeMilliseconds());
        for (var i = TimeCharacters - 1; i >= 0; i--, milliseconds >>= 5)
        {
            body[i] = Alphabet[(int)(milliseconds & 31)];
        }
    }
}
