using System.Security.Cryptography;
using LangTrain.Contracts;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Files;

public sealed class AssembleUploadTests
{
    private const string Account = "user-1";
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 100).Select(i => (byte)i)];

    private readonly ManualTimeProvider _time = new();
    private readonly InMemoryUploadStore _uploads = new();
    private readonly InMemoryFileStore _files = new();
    private readonly InMemoryBlobStore _blobs = new();
    private Crash? _crash;
    private bool _isStarted;

    [Fact]
    public async Task A_large_upload_is_answered_before_its_bytes_are_copied_and_becomes_one_file()
    {
        var (upload, parts) = await UploadAsync();
        var completed = await CompleteAsync(upload, parts, Md5(Bytes));
        Assert.True(completed.IsAssembling);
        Assert.All(await BlobsAsync(), blob => Assert.StartsWith("uploads/", blob, StringComparison.Ordinal));
        var answer = await Uploads().ToAnswerAsync(completed);
        Assert.Equal(("completed", "uploaded", 100L, null), (answer.Status, answer.File!.Status, answer.File.Bytes, answer.File.Sha256));
        Assert.Equal("file_not_ready", (await Assert.ThrowsAsync<ApiException>(() => Store().OpenAsync(Account, upload.FileId))).Code);

        await Assembly().ExecuteAsync(new UploadRef(Account, upload.Id));
        await Assembly().ExecuteAsync(new UploadRef(Account, upload.Id));
        Assert.False((await CompleteAsync(upload, parts)).IsAssembling);
        await AssertWholeAsync(upload);
    }

    [Fact]
    public async Task Whatever_call_of_storage_it_dies_at_the_upload_becomes_one_file()
    {
        // The process dies before a call, or after the call was made and before it is answered; then the orchestration tries again, or, where
        // the upload is not completed, the client.
        for (var (at, done) = (1, false); !done; at++)
        {
            foreach (var isAfter in (bool[])[false, true])
            {
                var (upload, parts) = await UploadAsync();
                _crash = new Crash { At = at, IsAfter = isAfter };
                _isStarted = false;
                await DieAsync(() => CompleteAsync(upload, parts));
                if ((await _uploads.FindAsync(Account, upload.Id))!.Value.Status == UploadStatus.Pending)
                {
                    await Assert.ThrowsAnyAsync<Exception>(() => Assembly().ExecuteAsync(new UploadRef(Account, upload.Id)));
                    (_crash, var crash) = (null, _crash);
                    await CompleteAsync(upload, parts);
                    _crash = crash;
                }

                Assert.True(_isStarted);
                await DieAsync(() => Assembly().ExecuteAsync(new UploadRef(Account, upload.Id)));
                done = _crash!.Calls < at;
                _crash = null;

                await Assembly().ExecuteAsync(new UploadRef(Account, upload.Id));
                await AssertWholeAsync(upload);
                await _files.DeleteAsync(Account, upload.FileId);
                await Assembly().ExecuteAsync(new UploadRef(Account, upload.Id));
                Assert.Empty(await BlobsAsync());
            }
        }
    }

    [Fact]
    public async Task Two_at_once_make_one_file()
    {
        var (upload, parts) = await UploadAsync();
        await CompleteAsync(upload, parts);
        _blobs.BeforeWrite = (_, _) =>
        {
            // The second begins when the first has begun, and ends before it.
            _blobs.BeforeWrite = null;
            Assembly().ExecuteAsync(new UploadRef(Account, upload.Id)).GetAwaiter().GetResult();
        };
        await Assembly().ExecuteAsync(new UploadRef(Account, upload.Id));
        await AssertWholeAsync(upload);
    }

    [Fact]
    public async Task Parts_with_another_md5_make_a_file_with_an_error_and_leave_no_bytes()
    {
        var (upload, parts) = await UploadAsync();
        await CompleteAsync(upload, [.. parts.Reverse()], Md5(Bytes));
        await Assembly().ExecuteAsync(new UploadRef(Account, upload.Id));
        var file = (await _files.FindAsync(Account, upload.FileId))!.ToAnswer();
        Assert.Equal("error", file.Status);
        Assert.Contains("MD5", file.StatusDetails, StringComparison.Ordinal);
        Assert.Equal("file_failed", (await Assert.ThrowsAsync<ApiException>(() => Store().OpenAsync(Account, upload.FileId))).Code);
        Assert.Empty(await BlobsAsync());
    }

    [Fact]
    public async Task A_file_that_is_deleted_before_it_has_its_bytes_leaves_none()
    {
        var (upload, parts) = await UploadAsync();
        await CompleteAsync(upload, parts);
        await _files.DeleteAsync(Account, upload.FileId);
        await Assembly().ExecuteAsync(new UploadRef(Account, upload.Id));
        Assert.Null(await _files.FindAsync(Account, upload.FileId));
        Assert.Empty(await BlobsAsync());
    }

    [Fact]
    public async Task A_large_upload_that_nobody_put_together_is_put_together_by_the_sweep()
    {
        var (upload, parts) = await UploadAsync();
        await CompleteAsync(upload, parts);
        _time.Advance(TimeSpan.FromHours(25));
        Assert.Equal(1, await Uploads().SweepAsync());
        await AssertWholeAsync(upload);
    }

    private async Task<(UploadSession Upload, string[] Parts)> UploadAsync()
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        var upload = await Uploads().CreateAsync(Account, new UploadRequest("model.zip", "model", Bytes.Length, null), Ids.New("x", _time)[2..]);
        var second = await Uploads().StorePartAsync(Account, upload.Id, new MemoryStream(Bytes[60..]));
        var first = await Uploads().StorePartAsync(Account, upload.Id, new MemoryStream(Bytes[..60]));
        return (upload, [first.Id, second.Id]);
    }

    private Task<UploadSession> CompleteAsync(UploadSession upload, IReadOnlyList<string> parts, string? md5 = null) =>
        Uploads().CompleteAsync(Account, upload.Id, parts, md5, _ => Task.FromResult(_isStarted = true));

    private async Task AssertWholeAsync(UploadSession upload)
    {
        var (file, content) = await Store().OpenAsync(Account, upload.FileId);
        await using (content)
        {
            using var copy = new MemoryStream();
            await content.CopyToAsync(copy);
            Assert.Equal(Bytes, copy.ToArray());
        }

        Assert.Equal((FileState.Ready, Convert.ToHexStringLower(SHA256.HashData(Bytes)), 100L), (file.State, file.Sha256, file.Bytes));
        Assert.Equal([file.BlobName], await BlobsAsync());
    }

    private async Task<List<string>> BlobsAsync() => await _blobs.ListAsync("datasets", "").Select(blob => blob.Name).ToListAsync();

    private PartedUploads Uploads() => new(
        Dying<IUploadStore>(_uploads), Dying<IFileStore>(_files), Store(), Assembly(), Dying<IBlobStore>(_blobs), new InMemoryBlobLinks(), new StorageNames(),
        new UploadOptions { MostBytesInRequest = 99 }, _time);

    private AssembleUpload Assembly() => new(Dying<IUploadStore>(_uploads), Dying<IFileStore>(_files), Store(), Dying<IBlobStore>(_blobs), new StorageNames(), _time);

    private UploadedFiles Store() => new(Dying<IFileStore>(_files), Dying<IBlobStore>(_blobs), new StorageNames(), _time);

    private T Dying<T>(T port)
        where T : class => _crash is null ? port : DyingPort.Over(port, _crash);

    private static async Task DieAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (DeathException)
        {
            // As it was to be.
        }
    }

    private static string Md5(byte[] bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        hash.AppendData(bytes);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
