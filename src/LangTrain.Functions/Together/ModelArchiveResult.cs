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
        await using var body = new PatientStream(httpContext.Response.Body);
        // A failure after the first byte ends the connection: half an archive has no directory at its end.
        var zip = await ZipArchive.CreateAsync(body, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, stop);
        foreach (var file in files)
        {
            await using var content = await file.OpenAsync(stop);
            await using var entry = await zip.CreateEntry(file.Name, CompressionLevel.NoCompression).OpenAsync(stop);
            await content.CopyToAsync(entry, stop);
        }

        await zip.DisposeAsync();
        await body.FlushAsync(stop);
    }

    /// <summary>Keeps what is written at once until something is written in turn: an archive ends its entries the first way, which a response does not take.</summary>
    private sealed class PatientStream(Stream body) : Stream
    {
        private readonly MemoryStream _kept = new();

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(byte[] buffer, int offset, int count) => _kept.Write(buffer, offset, count);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await SendKeptAsync(cancellationToken);
            await body.WriteAsync(buffer, cancellationToken);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush()
        {
            // Comes with the next writing.
        }

        public override async Task FlushAsync(CancellationToken cancellationToken)
        {
            await SendKeptAsync(cancellationToken);
            await body.FlushAsync(cancellationToken);
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private async ValueTask SendKeptAsync(CancellationToken cancellation)
        {
            if (_kept.Length > 0)
            {
                await body.WriteAsync(_kept.GetBuffer().AsMemory(0, (int)_kept.Length), cancellation);
                _kept.SetLength(0);
            }
        }
    }
}
