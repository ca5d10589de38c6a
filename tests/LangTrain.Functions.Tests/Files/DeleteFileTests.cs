using System.Net;
using System.Text;
using LangTrain.Core.Files;
using LangTrain.Functions.Tests.Hosting;
using LangTrain.Testing;

namespace LangTrain.Functions.Tests.Files;

public sealed class DeleteFileTests
{
    [Theory]
    [InlineData("fine-tunes", "job")]
    [InlineData("batches", "batch")]
    [InlineData("models", "check of model")]
    public async Task Who_comes_between_the_look_for_readers_and_the_deletion_keeps_the_file(string readers, string named)
    {
        await using var app = await TestApp.StartAsync();
        var file = await UploadAsync(app, readers);
        var store = (InMemoryFileStore)app.Service<IFileStore>();
        store.BeforeDelete = async () =>
        {
            store.BeforeDelete = null;
            await ReadAsync(app, readers, file);
        };
        var refused = await app.Client.DeleteAsync("files/" + file).ErrorAsync(HttpStatusCode.Conflict);
        Assert.Equal("file_in_use", refused.Text("code"));
        Assert.Contains(named, refused.Text("message"), StringComparison.Ordinal);
        Assert.NotEmpty(await app.Client.GetByteArrayAsync($"files/{file}/content"));
    }

    [Theory]
    [InlineData("fine-tunes")]
    [InlineData("batches")]
    [InlineData("models")]
    public async Task A_reader_is_written_down_before_it_touches_the_file(string readers)
    {
        await using var app = await TestApp.StartAsync();
        var file = await UploadAsync(app, readers);
        var store = (InMemoryFileStore)app.Service<IFileStore>();
        var deletions = 0;
        store.BeforeTouch = async () =>
        {
            deletions++;
            await app.Client.DeleteAsync("files/" + file).ErrorAsync(HttpStatusCode.Conflict);
        };
        await ReadAsync(app, readers, file);
        Assert.Equal(1, deletions);
    }

    [Fact]
    public async Task A_file_that_nobody_reads_goes_with_its_bytes_though_it_was_touched_meanwhile()
    {
        await using var app = await TestApp.StartAsync();
        var file = await UploadAsync(app, "fine-tunes");
        var store = (InMemoryFileStore)app.Service<IFileStore>();
        store.BeforeDelete = async () =>
        {
            store.BeforeDelete = null;
            await store.TouchAsync(Core.Accounts.BootstrapAccount.AccountId, file);
        };
        await app.Client.DeleteAsync("files/" + file).JsonAsync();
        await app.Client.DeleteAsync("files/" + file).ErrorAsync(HttpStatusCode.NotFound);
        Assert.Empty(await app.Service<Core.Storage.IBlobStore>().ListAsync("datasets", "").ToListAsync());
    }

    private static Task<System.Text.Json.JsonElement> ReadAsync(TestApp app, string readers, string file) => app.Client.PostAsync(readers, readers switch
    {
        "fine-tunes" => new { model_id = "langtrain/tiny", dataset = new { file_id = file } },
        "batches" => new { input_file_id = file, endpoint = "/v1/completions", completion_window = "24h" },
        _ => (object)new { name = "mine", files = new[] { file } },
    }).JsonAsync();

    private static async Task<string> UploadAsync(TestApp app, string readers)
    {
        var (name, purpose) = readers switch { "fine-tunes" => ("a.jsonl", "fine-tune"), "batches" => ("a.jsonl", "batch"), _ => ("a.zip", "model") };
        using var form = new MultipartFormDataContent
        {
            { new StringContent(purpose), "purpose" }, { new ByteArrayContent(Encoding.UTF8.GetBytes("{\"text\":\"one\"}\n")), "file", name },
        };
        return (await app.Client.PostAsync("files", form).JsonAsync()).Text("id");
    }
}
