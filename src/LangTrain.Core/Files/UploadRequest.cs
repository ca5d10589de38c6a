using LangTrain.Core.Errors;
using LangTrain.Core.Http;

namespace LangTrain.Core.Files;

/// <summary>Body of <c>POST /uploads</c>, checked.</summary>
/// <param name="Filename">Name.</param>
/// <param name="Purpose">Purpose.</param>
/// <param name="Bytes">Size that the parts will add up to.</param>
/// <param name="Lifetime">After which the file is deleted, or null.</param>
public sealed record UploadRequest(string Filename, string Purpose, long Bytes, TimeSpan? Lifetime)
{
    /// <summary>Largest model that may come in parts.</summary>
    public const long MostModelBytes = 32L << 30;

    /// <summary>Reads it.</summary>
    /// <exception cref="ApiException">400.</exception>
    public static UploadRequest FromRequest(RequestObject request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var filename = request.RequireText("filename", 512);
        var purpose = request.OneOf("purpose", UploadedFiles.Purposes);
        if (!request.Has("purpose"))
        {
            request.Missing("purpose");
        }

        var most = purpose == "model" ? MostModelBytes : UploadedFiles.MaxBytes;
        var bytes = request.Integer("bytes", 1, most);
        if (!request.Has("bytes"))
        {
            request.Missing("bytes");
        }

        // OpenAI's clients must send it; what a file is shows in its name and content.
        request.Text("mime_type", 256);
        TimeSpan? lifetime = null;
        if (request.Object("expires_after") is { } expiry)
        {
            expiry.OneOf("anchor", "created_at");
            lifetime = expiry.Integer("seconds", UploadedFiles.ShortestLifeSeconds, UploadedFiles.LongestLifeSeconds) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
            if (!expiry.Has("seconds"))
            {
                expiry.Missing("seconds");
            }

            expiry.RefuseUnknownKeys();
        }

        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        return new UploadRequest(UploadedFiles.CleanName(filename), purpose!, bytes!.Value, lifetime);
    }
}
