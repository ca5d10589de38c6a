using System.Globalization;
using LangTrain.Contracts.Errors;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;
using Microsoft.AspNetCore.Http;

namespace LangTrain.Functions.Files;

/// <summary>The bytes of a file, streamed from storage; all of them, or one range where the request names one (RFC 9110, section 14).</summary>
internal static class FileContent
{
    /// <summary>200 with the whole, 206 with a range.</summary>
    /// <param name="request">The request.</param>
    /// <param name="file">The file.</param>
    /// <param name="open">Opens its bytes from an offset.</param>
    /// <exception cref="ApiException">416 where the file has no such range.</exception>
    public static async Task<IResult> AnswerAsync(HttpRequest request, StoredFile file, Func<long, Task<Stream>> open)
    {
        var headers = request.HttpContext.Response.Headers;
        headers.AcceptRanges = "bytes";
        headers.ETag = $"\"{file.Sha256}\"";
        if (RangeOf(request, file) is not var (from, to))
        {
            request.HttpContext.Response.ContentLength = file.Bytes;
            return TypedResults.Stream(await open(0), "application/octet-stream", file.Filename);
        }

        if (from > to)
        {
            headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{file.Bytes}");
            throw new ApiException(416, ErrorTypes.InvalidRequest, [new ApiProblem($"The file has {file.Bytes:N0} bytes; the range begins behind them.", "range_not_satisfiable")]);
        }

        headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{to}/{file.Bytes}");
        request.HttpContext.Response.StatusCode = StatusCodes.Status206PartialContent;
        request.HttpContext.Response.ContentLength = to - from + 1;
        return TypedResults.Stream(new FirstBytesStream(await open(from), to - from + 1), "application/octet-stream", file.Filename);
    }

    // Several ranges are answered with the whole, as the RFC allows, and so is one under a condition that this version does not meet. The condition
    // is compared strongly (13.1.5), and our tag is a strong one: nothing but the very same text meets it, no weak tag and no date.
    private static (long From, long To)? RangeOf(HttpRequest request, StoredFile file)
    {
        var typed = request.GetTypedHeaders();
        if (typed.Range is not { Unit.Value: "bytes", Ranges: { Count: 1 } ranges }
            || (request.Headers.IfRange is { Count: > 0 } condition && condition != $"\"{file.Sha256}\""))
        {
            return null;
        }

        var range = ranges.First();
        var from = range.From ?? Math.Max(0, file.Bytes - range.To!.Value);
        var to = range.From is null || range.To is null ? file.Bytes - 1 : Math.Min(range.To.Value, file.Bytes - 1);
        return from < file.Bytes ? (from, to) : (1, 0);
    }
}
