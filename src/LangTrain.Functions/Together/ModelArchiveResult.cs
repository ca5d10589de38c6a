using System.IO.Compression;
using LangTrain.Core.Models;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace LangTrain.Functions.Together;

/// <summary>Files of a model as a zip, one after the other out of storage; weights are stored as they are, since they hardly shrink.</summary>
internal sealed class ModelArchiveResult(IReadOnlyList<ModelArchiveFile> files, string name) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        httpContext.Response.ContentType = "application/zip";
        httpContext.Response.Headers.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileName = name }.ToString();
        var stop = httpContext.RequestAborted;
        // A failure after the first byte ends the connection: half an archive has no directory at its end.
        var zip = await ZipArchive.CreateAsync(httpContext.Response.Body, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, stop);
        foreach (var file in files)
        {
            await using var content = await file.OpenAsync(stop);
            await using var entry = await zip.CreateEntry(file.Name, CompressionLevel.NoCompression).OpenAsync(stop);
            await content.CopyToAsync(entry, stop);
        }

        await zip.DisposeAsync();
    }
}
