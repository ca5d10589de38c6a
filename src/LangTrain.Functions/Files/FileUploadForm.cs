using System.Globalization;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;

namespace LangTrain.Functions.Files;

/// <summary>The form of <c>POST /files</c>, its bytes stored already.</summary>
/// <param name="Upload">The bytes.</param>
/// <param name="Purpose">Purpose, unchecked; null where it is missing.</param>
/// <param name="Lifetime">After which the file is deleted.</param>
internal sealed record FileUploadForm(StoredUpload Upload, string? Purpose, TimeSpan? Lifetime)
{
    /// <summary>Reads the form and stores the file on the way. After a fault nothing stays stored.</summary>
    /// <exception cref="ApiException">400, 413, 415.</exception>
    public static async Task<FileUploadForm> ReadAsync(HttpRequest request, UploadedFiles files, string accountId, CancellationToken cancellation)
    {
        StoredUpload? upload = null;
        string? purpose = null;
        TimeSpan? lifetime = null;
        try
        {
            await foreach (var part in MultipartForm.ReadAsync(request, UploadedFiles.MaxBytes + (1 << 20), cancellation))
            {
                switch (part.Name)
                {
                    case "file" when part.Filename is not null && upload is null:
                        upload = await files.StoreAsync(accountId, part.Filename, part.Content, cancellation);
                        break;
                    case "file" when part.Filename is null:
                        throw ApiErrors.Invalid("file must be sent as a file: its part needs a filename.", "file");
                    case "file":
                        throw ApiErrors.Invalid("The form holds more than one file.", "file");
                    case "purpose":
                        purpose = part.Text;
                        break;
                    case "expires_after[anchor]" when part.Text == "created_at":
                        break;
                    case "expires_after[seconds]":
                        lifetime = ReadLifetime(part.Text);
                        break;
                    default:
                        throw ApiErrors.Invalid(
                            $"'{ApiErrors.Shorten(part.Name)}' is not a known field; file, purpose and expires_after are.", part.Name, "unknown_parameter");
                }
            }

            return new FileUploadForm(
                upload ?? throw ApiErrors.Invalid("file is required.", "file", "missing_required_parameter"), purpose, lifetime);
        }
        catch when (upload is not null)
        {
            await files.DiscardAsync(upload, CancellationToken.None);
            throw;
        }
    }

    private static TimeSpan ReadLifetime(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && seconds >= UploadedFiles.ShortestLifeSeconds && seconds <= UploadedFiles.LongestLifeSeconds
            ? TimeSpan.FromSeconds(seconds)
            : throw ApiErrors.Invalid(
                $"expires_after[seconds] must be a whole number from {UploadedFiles.ShortestLifeSeconds} to {UploadedFiles.LongestLifeSeconds}.", "expires_after[seconds]");
}
