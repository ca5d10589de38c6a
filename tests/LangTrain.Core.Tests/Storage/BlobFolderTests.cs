using System.Text;
using LangTrain.Core.Storage;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Storage;

public sealed class BlobFolderTests : IDisposable
{
    private const string Container = "models", Prefix = "account/job/1";
    private readonly string _root = Directory.CreateTempSubdirectory("langtrain-folder-").FullName;
    private readonly InMemoryBlobStore _blobs = new();
    private readonly BlobFolder _folders;

    public BlobFolderTests() => _folders = new BlobFolder(_blobs);

    private string Target => Path.Combine(_root, "cache", "target");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task A_folder_comes_back_as_it_was_also_one_with_a_manifest_of_its_own()
    {
        var source = Folder(("weights.bin", "abc"), ("sub/deep/x.json", "{}"), ("manifest.json", "the checkpoint's own"), ("empty", ""));
        var revision = await _folders.UploadAsync(Container, Prefix, source);

        Assert.True(await _folders.TryDownloadAsync(Container, Prefix, Target));

        Assert.Equal(Files(source), Files(Target));
        Assert.Equal(revision, await _folders.FindRevisionAsync(Container, Prefix));
        Assert.Equal(["1"], await _folders.ListCompleteAsync(Container, "account/job/").ToListAsync());
    }

    [Theory]
    [InlineData("""{"total_bytes":1}""")]
    [InlineData("""{"files":[null],"total_bytes":1}""")]
    [InlineData("""{"files":[{"name":"a","bytes":1}],"total_bytes":1}""")]
    [InlineData("nonsense")]
    public async Task A_manifest_that_says_nothing_is_damaged_and_can_be_written_over(string manifest)
    {
        await _blobs.WriteAsync(Container, Prefix + "/manifest.json", new MemoryStream(Encoding.UTF8.GetBytes(manifest)));
        await Assert.ThrowsAsync<InvalidDataException>(() => _folders.TryDownloadAsync(Container, Prefix, Target));
        Assert.False(await _folders.IsWholeAsync(Container, Prefix));

        await _folders.UploadAsync(Container, Prefix, Folder(("a", "first")));
        Assert.True(await _folders.IsWholeAsync(Container, Prefix));
        Assert.True(await _folders.TryDownloadAsync(Container, Prefix, Target));
    }

    [Fact]
    public async Task An_upload_that_dies_is_no_folder_and_the_next_one_sends_only_what_is_missing()
    {
        var source = Folder(("a", "first"), ("b", "second"), ("c", "third"));
        _blobs.BeforeWrite = (_, name) => Fail(name.EndsWith("/c", StringComparison.Ordinal));
        await Assert.ThrowsAsync<IOException>(() => _folders.UploadAsync(Container, Prefix, source));
        Assert.Null(await _folders.FindRevisionAsync(Container, Prefix));
        Assert.False(await _folders.TryDownloadAsync(Container, Prefix, Target));

        // What the dead upload left need not be what it said it was.
        await _blobs.WriteAsync(Container, Prefix + "/b", new MemoryStream("SECOND"u8.ToArray()));
        var written = new List<string>();
        _blobs.BeforeWrite = (_, name) => written.Add(name);
        await _folders.UploadAsync(Container, Prefix, source);

        Assert.Equal([Prefix + "/b", Prefix + "/c", Prefix + "/manifest.json"], written);
        Assert.True(await _folders.TryDownloadAsync(Container, Prefix, Target));
        Assert.Equal(Files(source), Files(Target));
    }

    [Fact]
    public async Task The_same_folder_again_sends_nothing_and_a_changed_one_is_incomplete_until_it_is_whole()
    {
        var source = Folder(("a", "one"), ("b", "two"));
        var revision = await _folders.UploadAsync(Container, Prefix, source);
        var written = new List<string>();
        _blobs.BeforeWrite = (_, name) => written.Add(name);
        Assert.Equal(revision, await _folders.UploadAsync(Container, Prefix, source));
        Assert.Empty(written);

        await File.WriteAllTextAsync(Path.Combine(source, "b"), "TWO");
        var completeWhileWriting = new List<bool>();
        _blobs.BeforeWrite = (_, _) => completeWhileWriting.Add(_blobs.FindAsync(Container, Prefix + "/manifest.json").GetAwaiter().GetResult() is not null);
        var changed = await _folders.UploadAsync(Container, Prefix, source);

        Assert.NotEqual(revision, changed);
        // "b" and the manifest.
        Assert.Equal([false, false], completeWhileWriting);
    }

    [Fact]
    public async Task A_damaged_blob_is_refused_and_the_next_try_fetches_only_it()
    {
        var source = Folder(("a", "one"), ("b", "two"));
        await _folders.UploadAsync(Container, Prefix, source);
        await _blobs.WriteAsync(Container, Prefix + "/b", new MemoryStream("xyz"u8.ToArray()));
        await Assert.ThrowsAsync<InvalidDataException>(() => _folders.TryDownloadAsync(Container, Prefix, Target));
        Assert.False(Directory.Exists(Target));

        await _blobs.WriteAsync(Container, Prefix + "/b", new MemoryStream("two"u8.ToArray()));
        await _blobs.DeleteAsync(Container, Prefix + "/a");
        Assert.True(await _folders.TryDownloadAsync(Container, Prefix, Target));
        Assert.Equal(Files(source), Files(Target));
    }

    [Fact]
    public async Task A_manifest_cannot_write_outside_its_folder()
    {
        await _blobs.WriteAsync(Container, Prefix + "/manifest.json", new MemoryStream(
            Encoding.UTF8.GetBytes("""{"files":[{"name":"../../evil","bytes":0,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}],"total_bytes":0}""")));

        await Assert.ThrowsAsync<InvalidDataException>(() => _folders.TryDownloadAsync(Container, Prefix, Target));
    }

    [Fact]
    public async Task Many_that_ask_for_one_folder_get_it_once()
    {
        var source = Folder(Enumerable.Range(0, 20).Select(i => ($"f{i}", new string('x', i))).ToArray());
        await _folders.UploadAsync(Container, Prefix, source);

        var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => _folders.TryDownloadAsync(Container, Prefix, Target))));

        Assert.All(results, Assert.True);
        Assert.Equal(Files(source), Files(Target));
    }

    private static void Fail(bool now)
    {
        if (now)
        {
            throw new IOException("The connection was closed.");
        }
    }

    private string Folder(params (string Name, string Text)[] files)
    {
        var folder = Path.Combine(_root, "source");
        foreach (var (name, text) in files)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }

        return folder;
    }

    private static SortedDictionary<string, string> Files(string folder) => new(
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).ToDictionary(path => Path.GetRelativePath(folder, path), File.ReadAllText),
        StringComparer.Ordinal);
}
