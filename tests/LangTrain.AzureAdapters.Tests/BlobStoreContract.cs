using LangTrain.AzureAdapters.Blobs;
using LangTrain.Core.Storage;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IBlobStore"/> does.</summary>
public abstract class BlobStoreContract
{
    // Two blocks and a bit: over the size from which a blob is written in parts.
    protected const int LargeBytes = (2 * BlockUpload.BlockBytes) + 12_345;
    protected const string Container = "box";

    protected abstract IBlobStore Store { get; }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(BlockUpload.BlockBytes)]
    [InlineData(LargeBytes)]
    public async Task A_blob_of_any_size_is_read_back(int length)
    {
        var bytes = Bytes(length, seed: length);
        await Store.WriteAsync(Container, "a b/ü.bin", new TricklingStream(bytes));

        var stored = await ReadAsync("a b/ü.bin");
        Assert.True(bytes.AsSpan().SequenceEqual(stored));
        Assert.Equal(("a b/ü.bin", (long)length), await Store.FindAsync(Container, "a b/ü.bin") is { } info ? (info.Name, info.Bytes) : default);
    }

    [Fact]
    public async Task Reading_begins_at_the_offset_and_is_empty_from_the_end_on()
    {
        await Store.WriteAsync(Container, "x", new MemoryStream(Bytes(100, seed: 1)));

        Assert.Equal(Bytes(100, seed: 1)[40..], await ReadAsync("x", 40));
        Assert.Empty(await ReadAsync("x", 100));
        Assert.Empty(await ReadAsync("x", 1000));
    }

    [Fact]
    public async Task What_is_not_there_reads_as_null_lists_as_nothing_and_deletes_without_error()
    {
        Assert.Null(await Store.OpenReadAsync("nobox", "x"));
        Assert.Null(await Store.FindAsync("nobox", "x"));
        Assert.Empty(await Store.ListAsync("nobox", "").ToListAsync());
        await Store.DeleteAsync("nobox", "x");
        await Store.WriteAsync(Container, "y", new MemoryStream([1]));
        Assert.Null(await Store.OpenReadAsync(Container, "x"));
        Assert.Null(await Store.FindAsync(Container, "x"));
        await Store.DeleteAsync(Container, "x");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(LargeBytes)]
    public async Task Without_overwrite_the_first_content_stays(int length)
    {
        await Store.WriteAsync(Container, "once", new MemoryStream([7]), overwrite: false);

        await Assert.ThrowsAsync<AlreadyExistsException>(() => Store.WriteAsync(Container, "once", new MemoryStream(Bytes(length, 2)), overwrite: false));

        Assert.Equal([7], await ReadAsync("once"));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(LargeBytes)]
    public async Task A_write_that_dies_half_way_leaves_what_was_there(int diesAfter)
    {
        await Store.WriteAsync(Container, "torn", new MemoryStream([7]));

        await Assert.ThrowsAsync<EndOfStreamException>(() => Store.WriteAsync(Container, "torn", new TricklingStream(Bytes(diesAfter, 3), dies: true)));
        await Assert.ThrowsAsync<EndOfStreamException>(() => Store.WriteAsync(Container, "torn2", new TricklingStream(Bytes(diesAfter, 3), dies: true)));

        Assert.Equal([7], await ReadAsync("torn"));
        Assert.Null(await Store.FindAsync(Container, "torn2"));
        // What the dead write left behind is in nobody's way.
        await Store.WriteAsync(Container, "torn", new MemoryStream(Bytes(LargeBytes, 4)));
        var stored = await ReadAsync("torn");
        Assert.True(Bytes(LargeBytes, 4).AsSpan().SequenceEqual(stored));
    }

    [Fact]
    public async Task Of_two_writers_at_once_one_content_stands_whole()
    {
        var contents = new[] { Bytes(LargeBytes, 5), Bytes(LargeBytes, 6) };

        // The first is stopped between its blocks until the second is done.
        var secondIsDone = new TaskCompletionSource();
        var first = Store.WriteAsync(Container, "race", new TricklingStream(contents[0], pausesAfter: BlockUpload.BlockBytes + 500_000, pause: secondIsDone.Task));
        await Store.WriteAsync(Container, "race", new TricklingStream(contents[1]));
        secondIsDone.SetResult();
        try
        {
            await first;
        }
        catch (IOException)
        {
            // The other one won; saying so is right.
        }

        var stored = await ReadAsync("race");
        Assert.Contains(contents, content => content.AsSpan().SequenceEqual(stored));
    }

    [Fact]
    public async Task Blobs_are_listed_by_prefix_in_order()
    {
        foreach (var name in new[] { "p/b", "p/a", "p/a/c", "q", "p" })
        {
            await Store.WriteAsync(Container, name, new MemoryStream(new byte[name.Length]));
        }

        var listed = await Store.ListAsync(Container, "p/").ToListAsync();

        Assert.Equal(["p/a", "p/a/c", "p/b"], listed.Select(blob => blob.Name));
        Assert.Equal([3, 5, 3], listed.Select(blob => blob.Bytes));
    }

    protected static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    protected async Task<byte[]> ReadAsync(string name, long offset = 0)
    {
        await using var stream = (await Store.OpenReadAsync(Container, name, offset))!;
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        return copy.ToArray();
    }

    /// <summary>Gives its bytes in uneven pieces, cannot seek, and may die at its end.</summary>
    protected sealed class TricklingStream(byte[] bytes, bool dies = false, int pausesAfter = int.MaxValue, Task? pause = null) : MemoryStream(bytes, writable: false)
    {
        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            if (Position > pausesAfter)
            {
                await (pause ?? Task.CompletedTask);
            }

            var read = await base.ReadAsync(buffer[..Math.Min(buffer.Length, 100_003)], cancellationToken);
            return read == 0 && dies ? throw new EndOfStreamException("The sender went away.") : read;
        }
    }
}

public sealed class InMemoryBlobStoreTests : BlobStoreContract
{
    protected override IBlobStore Store { get; } = new InMemoryBlobStore();
}

public sealed class AzureBlobStoreTests(AzuriteFixture azurite) : BlobStoreContract
{
    private readonly string _prefix = AzuriteStorage.Prefix();

    protected override IBlobStore Store => new PrefixedContainers(new AzureBlobStore(azurite.NewAccount(_prefix).Blobs), _prefix);

    /// <summary>Tests share one storage account and name containers freely.</summary>
    private sealed class PrefixedContainers(AzureBlobStore store, string prefix) : IBlobStore
    {
        public Task<Stream?> OpenReadAsync(string container, string name, long offset, CancellationToken cancellation) => store.OpenReadAsync(prefix + container, name, offset, cancellation);

        public Task WriteAsync(string container, string name, Stream content, bool overwrite, CancellationToken cancellation) =>
            store.WriteAsync(prefix + container, name, content, overwrite, cancellation);

        public Task<BlobInfo?> FindAsync(string container, string name, CancellationToken cancellation) => store.FindAsync(prefix + container, name, cancellation);

        public IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix1, CancellationToken cancellation) => store.ListAsync(prefix + container, prefix1, cancellation);

        public Task DeleteAsync(string container, string name, CancellationToken cancellation) => store.DeleteAsync(prefix + container, name, cancellation);
    }
}
