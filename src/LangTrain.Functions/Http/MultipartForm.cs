using System.Runtime.CompilerServices;
using System.Text;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace LangTrain.Functions.Http;

/// <summary>A part of a multipart form: a short text, or a file whose content must be read before the next part.</summary>
/// <param name="Name">Field name.</param>
/// <param name="Filename">Name of a file; null for a text.</param>
/// <param name="Text">The text; empty for a file.</param>
/// <param name="Content">The file's bytes, as they come.</param>
internal sealed record FormPart(string Name, string? Filename, string Text, Stream Content);

/// <summary>Reads multipart forms part by part, without holding a file in memory or on disk.</summary>
internal static class MultipartForm
{
    private const int LongestText = 64 * 1024;
    private const int MostParts = 1024;

    // The reader's own 4 KiB are a million small reads for a file of 4 GB.
    private const int BufferBytes = 64 * 1024;

    /// <summary>The parts in order.</summary>
    /// <param name="request">The request.</param>
    /// <param name="maxBytes">Largest body; the host's own limit is raised to it.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">415: no multipart form; 413; 400: a broken one.</exception>
    public static async IAsyncEnumerable<FormPart> ReadAsync(
        HttpRequest request, long maxBytes, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            throw ApiErrors.UnsupportedMediaType("The body must be a form with files: multipart/form-data.", "Content-Type");
        }

        request.RefuseEncoding();
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (string.IsNullOrEmpty(boundary) || boundary.Length > 200)
        {
            throw ApiErrors.Invalid("The Content-Type names no boundary.", "Content-Type", "invalid_multipart");
        }

        request.LimitBody("The body", maxBytes);

        var reader = new MultipartReader(boundary, request.Body, BufferBytes);
        for (var count = 0; await NextAsync(reader, cancellation) is { } section; count++)
        {
            if (count == MostParts)
            {
                throw ApiErrors.Invalid($"The form has more than {MostParts} parts.", null, "invalid_multipart");
            }

            yield return await ToPartAsync(section, cancellation);
        }
    }

    private static async Task<MultipartSection?> NextAsync(MultipartReader reader, CancellationToken cancellation)
    {
        try
        {
            return await reader.ReadNextSectionAsync(cancellation);
        }
        catch (Exception e) when (IsBroken(e))
        {
            throw Broken();
        }
    }

    private static bool IsBroken(Exception e) => e is InvalidDataException or IOException and not BadHttpRequestException;

    private static ApiException Broken() => ApiErrors.Invalid("The multipart body is broken or ends too early.", null, "invalid_multipart");

    private static async Task<FormPart> ToPartAsync(MultipartSection section, CancellationToken cancellation)
    {
        if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)
            || HeaderUtilities.RemoveQuotes(disposition.Name).Value is not { Length: > 0 } name)
        {
            throw ApiErrors.Invalid("A part of the form has no name.", null, "invalid_multipart");
        }

        if (disposition.IsFileDisposition())
        {
            var filename = disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName;
            return new FormPart(name, HeaderUtilities.RemoveQuotes(filename).Value ?? "", "", new PartStream(section.Body));
        }

        using var text = new MemoryStream();
        await using var content = new PartStream(section.Body);
        var buffer = new byte[4096];
        for (int read; (read = await content.ReadAsync(buffer, cancellation)) > 0;)
        {
            text.Write(buffer, 0, read);
            if (text.Length > LongestText)
            {
                throw ApiErrors.TooLarge($"The field '{ApiErrors.Shorten(name)}'", LongestText, name);
            }
        }

        return new FormPart(name, null, Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length), Stream.Null);
    }

    /// <summary>A part's bytes; where the form breaks off among them, that is the sender's fault.</summary>
    private sealed class PartStream(Stream body) : ForwardStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return await body.ReadAsync(buffer, cancellationToken);
            }
            catch (Exception e) when (IsBroken(e))
            {
                throw Broken();
            }
        }
    }
}
