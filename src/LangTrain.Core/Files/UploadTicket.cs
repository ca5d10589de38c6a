using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;

namespace LangTrain.Core.Files;

/// <summary>Leave to send the bytes of one file, once, without a key: what stands in the address that a client is sent to. Immutable.</summary>
/// <param name="AccountId">Owner of the file.</param>
/// <param name="KeyId">Id of the key (not the key) by which it was asked for; the ticket ends with it.</param>
/// <param name="FileId">Id that the file is to have.</param>
/// <param name="Filename">Its name.</param>
/// <param name="Purpose">What it is for.</param>
/// <param name="ExpiresAt">Until when the upload may begin, UTC, whole seconds.</param>
public sealed record UploadTicket(string AccountId, string KeyId, string FileId, string Filename, string Purpose, DateTimeOffset ExpiresAt);

/// <summary>Writes tickets so that nobody else can, and reads them. Thread-safe.</summary>
public sealed class UploadTickets(DerivedSecrets secrets, TimeProvider time)
{
    /// <summary>How long a ticket can be used.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    // Parts are parted by what no part holds: ids have none, names are cleaned of it.
    private const char Parting = '\n';
    private const int LongestText = 2048;

    /// <summary>A ticket as text for an address.</summary>
    /// <exception cref="ApiException">503 where the installation has no secret to sign with.</exception>
    public string Write(UploadTicket ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        if (!secrets.IsAvailable)
        {
            throw ApiErrors.Unavailable("Uploads by a ticket need LANGTRAIN_SIGNING_KEY, which this server does not have; send the file as multipart/form-data.", TimeSpan.FromHours(1), "signing_key_missing");
        }

        var text = Encoding.UTF8.GetBytes(string.Join(
            Parting, ticket.AccountId, ticket.KeyId, ticket.FileId, ticket.ExpiresAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), ticket.Purpose, ticket.Filename));
        return Base64Url.EncodeToString(text) + "." + Base64Url.EncodeToString(Sign(text));
    }

    /// <summary>The ticket of a text.</summary>
    /// <exception cref="ApiException">401: none of ours, or too old.</exception>
    public UploadTicket Read(string? written)
    {
        if (!secrets.IsAvailable || written is not { Length: > 0 and <= LongestText } || written.Split('.') is not [var first, var second]
            || !Base64Url.IsValid(first) || !Base64Url.IsValid(second))
        {
            throw Wrong();
        }

        var text = Base64Url.DecodeFromChars(first);
        if (!CryptographicOperations.FixedTimeEquals(Base64Url.DecodeFromChars(second), Sign(text))
            || Encoding.UTF8.GetString(text).Split(Parting) is not [var account, var key, var file, var seconds, var purpose, var name])
        {
            throw Wrong();
        }

        var ends = DateTimeOffset.FromUnixTimeSeconds(long.Parse(seconds, CultureInfo.InvariantCulture));
        return ends > time.GetUtcNow() ? new UploadTicket(account, key, file, name, purpose, ends) : throw Wrong();
    }

    private byte[] Sign(byte[] text) => HMACSHA256.HashData(secrets.Bytes("upload-ticket"), text);

    private static ApiException Wrong() => ApiErrors.Unauthorized("invalid_ticket", "This address for an upload is wrong or too old. Ask for a new one.");
}
