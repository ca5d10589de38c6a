using LangTrain.AzureAdapters.Tables;
using LangTrain.Core;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IUploadStore"/> does.</summary>
public abstract class UploadStoreContract
{
    private readonly string _account = "user-" + Guid.NewGuid().ToString("N");

    protected abstract IUploadStore Store { get; }

    [Fact]
    public async Task An_upload_is_read_back_changed_once_a_version_and_made_once()
    {
        var upload = Upload(hours: 1) with { FileLifetime = TimeSpan.FromDays(2) };
        await Store.CreateAsync(upload);
        await Assert.ThrowsAsync<AlreadyExistsException>(() => Store.CreateAsync(upload));

        var row = (await Store.FindAsync(_account, upload.Id))!;
        Assert.Equal(upload, row.Value);
        Assert.Null(await Store.FindAsync("user-other", upload.Id));
        var changed = await Store.UpdateAsync(row, upload with { Status = UploadStatus.Completed, Content = new StoredUpload("files/x", "x", 3, "ab") });
        await Assert.ThrowsAsync<StaleWriteException>(() => Store.UpdateAsync(row, upload with { Status = UploadStatus.Cancelled }));
        var again = (await Store.FindAsync(_account, upload.Id))!;
        Assert.Equal((changed.ETag, UploadStatus.Completed, "files/x"), (again.ETag, again.Value.Status, again.Value.Content?.BlobName));
    }

    [Fact]
    public async Task Ended_uploads_are_listed_until_they_are_settled()
    {
        var (early, late) = (Upload(hours: 1), Upload(hours: 2));
        await Store.CreateAsync(late);
        await Store.CreateAsync(early);
        Assert.Equal([early], await Store.ListDueAsync(Some.Moment.AddHours(1.5)).ToListAsync());
        await Store.SettleAsync(early);
        await Store.SettleAsync(early);
        Assert.Equal([late], await Store.ListDueAsync(Some.Moment.AddDays(1)).ToListAsync());
        Assert.NotNull(await Store.FindAsync(_account, early.Id));
    }

    private UploadSession Upload(double hours) => new()
    {
        Id = Ids.New("upload", TimeProvider.System), AccountId = _account, Filename = "train.jsonl", Purpose = "fine-tune", Bytes = 10,
        CreatedAt = Some.Moment, ExpiresAt = Some.Moment.AddHours(hours),
    };
}

public sealed class InMemoryUploadStoreTests : UploadStoreContract
{
    protected override IUploadStore Store { get; } = new InMemoryUploadStore();
}

public sealed class TableUploadStoreTests(AzuriteFixture azurite) : UploadStoreContract
{
    protected override IUploadStore Store { get; } = NewStore(azurite.NewAccount());

    private static TableUploadStore NewStore(StorageClients storage) => new(storage.Table(storage.Names.UploadsTable));
}
