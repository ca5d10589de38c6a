using System.Net;
using System.Security.Cryptography;
using System.Text;
using LangTrain.Core.Storage;
using LangTrain.Functions.Tests.Hosting;

namespace LangTrain.Functions.Tests.Files;

public sealed class FileTests
{
    private static readonly byte[] Rows = "{\"text\":\"a\"}\n"u8.ToArray();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task File_comes_back_as_it_was_sent_whichever_field_comes_first(bool purposeFirst)
    {
        await using var app = await TestApp.StartAsync();
        var file = await app.Client.PostAsync("files", Form(purposeFirst: purposeFirst)).JsonAsync();
        Assert.Equal(("file", "train.jsonl", "fine-tune", "processed"), (file.Text("object"), file.Text("filename"), file.Text("purpose"), file.Text("status")));
        Assert.Equal((Rows.Length, Convert.ToHexStringLower(SHA256.HashData(Rows))), (file.GetProperty("bytes").GetInt32(), file.Text("sha256")));
        Assert.Equal(Rows, await app.Client.GetByteArrayAsync($"files/{file.Text("id")}/content"));
        await app.Client.DeleteAsync("files/" + file.Text("id")).JsonAsync();
        await app.Client.GetAsync("files/" + file.Text("id")).ErrorAsync(HttpStatusCode.NotFound);
        Assert.Empty(await BlobsAsync(app));
    }

    [Fact]
    public async Task Refused_upload_leaves_nothing_behind()
    {
        await using var app = await TestApp.StartAsync();
        Assert.Equal("purpose", (await app.Client.PostAsync("files", Form(purpose: "fun")).ErrorAsync(HttpStatusCode.BadRequest)).Text("param"));
        Assert.Equal("empty_file", (await app.Client.PostAsync("files", Form(rows: [])).ErrorAsync(HttpStatusCode.BadRequest)).Text("code"));
        using var form = Form();
        form.Add(new StringContent("x"), "colour");
        Assert.Equal("unknown_parameter", (await app.Client.PostAsync("files", form).ErrorAsync(HttpStatusCode.BadRequest)).Text("code"));
        await app.Client.PostAsync("files", new { file = "x" }).ErrorAsync(HttpStatusCode.UnsupportedMediaType);
        Assert.Empty(await BlobsAsync(app));
    }

    [Theory]
    [InlineData("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n{\"text\":")]
    [InlineData("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc\r\n--x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nfine-")]
    [InlineData("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n")]
    public async Task A_form_that_ends_in_the_middle_is_the_senders_fault_and_leaves_nothing_behind(string body)
    {
        await using var app = await TestApp.StartAsync();
        using var content = new StringContent(body);
        content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
        Assert.Equal("invalid_multipart", (await app.Client.PostAsync("files", content).ErrorAsync(HttpStatusCode.BadRequest)).Text("code"));
        Assert.Empty(await BlobsAsync(app));
    }

    [Fact]
    public async Task Same_idempotency_key_gives_the_same_file_once()
    {
        await using var app = await TestApp.StartAsync();
        app.Client.DefaultRequestHeaders.Add("Idempotency-Key", "upload-1");
        var first = await app.Client.PostAsync("files", Form()).JsonAsync();
        using var again = await app.Client.PostAsync("files", Form());
        Assert.Equal("true", again.Headers.GetValues("Idempotent-Replayed").Single());
        Assert.Equal(first.Text("id"), (await Task.FromResult(again).JsonAsync()).Text("id"));
        Assert.Single(await BlobsAsync(app));
        Assert.Equal("idempotency_key_reused", (await app.Client.PostAsync("files", Form(rows: "other"u8.ToArray())).ErrorAsync(HttpStatusCode.UnprocessableEntity)).Text("code"));
    }

    [Fact]
    public async Task List_is_paged_and_ones_own()
    {
        await using var app = await TestApp.StartAsync();
        for (var i = 0; i < 25; i++)
        {
            await app.Client.PostAsync("files", Form()).JsonAsync();
        }

        // As at OpenAI, where the first page of files is all that most clients look at.
        var all = await app.Client.GetAsync("files").JsonAsync();
        Assert.Equal((25, false), (all.GetProperty("data").GetArrayLength(), all.GetProperty("has_more").GetBoolean()));
        await app.Client.GetAsync("files?limit=10000").JsonAsync();
        await app.Client.GetAsync("files?limit=10001").ErrorAsync(HttpStatusCode.BadRequest);

        var page = await app.Client.GetAsync("files?limit=2").JsonAsync();
        Assert.True(page.GetProperty("has_more").GetBoolean());
        var rest = await app.Client.GetAsync("files?limit=30&after=" + page.Text("last_id")).JsonAsync();
        Assert.Equal((23, false), (rest.GetProperty("data").GetArrayLength(), rest.GetProperty("has_more").GetBoolean()));
        using var other = await app.OtherAccountAsync();
        Assert.Equal(0, (await other.GetAsync("files").JsonAsync()).GetProperty("data").GetArrayLength());
        await other.GetAsync($"files/{page.Text("last_id")}/content").ErrorAsync(HttpStatusCode.NotFound);
        await app.Client.GetAsync("files?limit=0&order=up").ErrorAsync(HttpStatusCode.BadRequest);
    }

    private static MultipartFormDataContent Form(byte[]? rows = null, string purpose = "fine-tune", bool purposeFirst = false)
    {
        var form = new MultipartFormDataContent();
        var text = new StringContent(purpose, Encoding.UTF8);
        if (purposeFirst)
        {
            form.Add(text, "purpose");
        }

        form.Add(new ByteArrayContent(rows ?? Rows), "file", "train.jsonl");
        if (!purposeFirst)
        {
            form.Add(text, "purpose");
        }

        return form;
    }

    private static async Task<List<BlobInfo>> BlobsAsync(TestApp app)
    {
        var blobs = new List<BlobInfo>();
        await foreach (var blob in app.Service<IBlobStore>().ListAsync("datasets", ""))
        {
            blobs.Add(blob);
        }

        return blobs;
    }
}
