using System.Net;
using System.Security.Cryptography;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;
using LangTrain.Functions.Tests.Hosting;
using LangTrain.Testing;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace LangTrain.Functions.Tests.Files;

public sealed class UploadTests
{
    private static readonly byte[] Rows = "{\"text\":\"one\"}\n{\"text\":\"two\"}\n"u8.ToArray();

    [Fact]
    public async Task Parts_become_one_file_in_the_order_of_their_completion_and_only_once()
    {
        await using var app = await TestApp.StartAsync();
        var upload = await CreateAsync(app, Rows.Length);
        Assert.Equal(("upload", "pending"), (upload.Text("object"), upload.Text("status")));
        var id = upload.Text("id");
        var second = await PartAsync(app.Client, id, Rows[15..]);
        // The first part goes straight to storage.
        var direct = await app.Client.PostAsync($"uploads/{id}/parts", new { direct = true }).JsonAsync();
        Assert.Equal("PUT", direct.GetProperty("direct").Text("method"));
        await app.Service<IBlobStore>().WriteAsync("datasets", new Uri(direct.GetProperty("direct").Text("url")).AbsolutePath["/datasets/".Length..], new MemoryStream(Rows[..15]));

        var order = new { part_ids = new[] { direct.Text("id"), second }, md5 = Md5(Rows) };
        var completed = await app.Client.PostAsync($"uploads/{id}/complete", order).JsonAsync();
        var file = completed.GetProperty("file");
        Assert.Equal(("completed", Convert.ToHexStringLower(SHA256.HashData(Rows))), (completed.Text("status"), file.Text("sha256")));
        Assert.Equal(Rows, await app.Client.GetByteArrayAsync($"files/{file.Text("id")}/content"));
        Assert.Equal(file.Text("id"), (await app.Client.PostAsync($"uploads/{id}/complete", order).JsonAsync()).GetProperty("file").Text("id"));
        Assert.Single(await app.Service<IBlobStore>().ListAsync("datasets", "").ToListAsync());

        // What is completed is neither cancelled nor completed otherwise, and a deleted file does not come back.
        await app.Client.PostAsync($"uploads/{id}/cancel", new { }).ErrorAsync(HttpStatusCode.Conflict);
        await app.Client.PostAsync($"uploads/{id}/complete", new { part_ids = new[] { second } }).ErrorAsync(HttpStatusCode.Conflict);
        await app.Client.DeleteAsync("files/" + file.Text("id")).JsonAsync();
        await app.Client.PostAsync($"uploads/{id}/complete", order).JsonAsync();
        await app.Client.GetAsync("files/" + file.Text("id")).ErrorAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_large_upload_is_completed_at_once_and_processed_later()
    {
        await using var app = await TestApp.StartAsync(change: services => services.AddSingleton(new UploadOptions { MostBytesInRequest = 10 }));
        var id = (await CreateAsync(app, Rows.Length)).Text("id");
        var order = new { part_ids = new[] { await PartAsync(app.Client, id, Rows) } };
        var file = (await app.Client.PostAsync($"uploads/{id}/complete", order).JsonAsync()).GetProperty("file");
        Assert.Equal(("uploaded", false), (file.Text("status"), file.TryGetProperty("sha256", out _)));
        Assert.Contains(id, ((RecordingDurableTaskClient)app.Service<DurableTaskClient>()).Started);
        Assert.Equal("file_not_ready", (await app.Client.GetAsync($"files/{file.Text("id")}/content").ErrorAsync(HttpStatusCode.Conflict)).Text("code"));
        Assert.Equal("file_not_ready", (await app.Client.PostAsync("models", new { name = "mine", files = new[] { id } }).ErrorAsync(HttpStatusCode.Conflict)).Text("code"));

        await app.Service<AssembleUpload>().ExecuteAsync(new UploadRef(Core.Accounts.BootstrapAccount.AccountId, id));
        Assert.Equal("processed", (await app.Client.GetAsync("files/" + file.Text("id")).JsonAsync()).Text("status"));
        Assert.Equal(Rows, await app.Client.GetByteArrayAsync($"files/{file.Text("id")}/content"));
    }

    [Fact]
    public async Task Wrong_parts_are_named_and_leave_the_upload_pending()
    {
        await using var app = await TestApp.StartAsync();
        var id = (await CreateAsync(app, Rows.Length)).Text("id");
        var part = await PartAsync(app.Client, id, Rows[..15]);
        async Task<string> CodeAsync(object body) => (await app.Client.PostAsync($"uploads/{id}/complete", body).ErrorAsync(HttpStatusCode.BadRequest)).Text("code");

        Assert.Equal("bytes_mismatch", await CodeAsync(new { part_ids = new[] { part } }));
        Assert.Equal("part_not_found", await CodeAsync(new { part_ids = new[] { part, "part-00000000000000000000000000" } }));
        Assert.Equal("part_not_found", await CodeAsync(new { part_ids = new[] { "../" + id } }));
        Assert.Equal("invalid_value", await CodeAsync(new { part_ids = new[] { part, part } }));
        var rest = await PartAsync(app.Client, id, Rows[15..]);
        Assert.Equal("md5_mismatch", await CodeAsync(new { part_ids = new[] { part, rest }, md5 = new string('0', 32) }));
        await app.Client.PostAsync($"uploads/{id}/complete", new { part_ids = new[] { part, rest } }).JsonAsync();
        Assert.Single(await app.Service<IBlobStore>().ListAsync("datasets", "").ToListAsync());
        await app.Client.PostAsync("uploads", new { filename = "x", purpose = "fine-tune", bytes = 1L << 31, mime_type = "text/jsonl" }).ErrorAsync(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Abandoned_and_cancelled_uploads_leave_nothing_behind_and_nobody_else_reaches_one()
    {
        var time = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var app = await TestApp.StartAsync(change: services => services.AddSingleton<TimeProvider>(time));
        var (abandoned, cancelled) = ((await CreateAsync(app, Rows.Length)).Text("id"), (await CreateAsync(app, Rows.Length)).Text("id"));
        await PartAsync(app.Client, abandoned, Rows);
        var part = await PartAsync(app.Client, cancelled, Rows);
        using var other = await app.OtherAccountAsync();
        await other.GetAsync("uploads/" + abandoned).ErrorAsync(HttpStatusCode.NotFound);
        await other.PostAsync($"uploads/{cancelled}/complete", new { part_ids = new[] { part } }).ErrorAsync(HttpStatusCode.NotFound);

        Assert.Equal("cancelled", (await app.Client.PostAsync($"uploads/{cancelled}/cancel", new { }).JsonAsync()).Text("status"));
        await app.Client.PostAsync($"uploads/{cancelled}/complete", new { part_ids = new[] { part } }).ErrorAsync(HttpStatusCode.Conflict);
        time.Advance(TimeSpan.FromHours(25));
        Assert.Equal("expired", (await app.Client.GetAsync("uploads/" + abandoned).JsonAsync()).Text("status"));
        Assert.Equal(2, await app.Service<PartedUploads>().SweepAsync());
        Assert.Empty(await app.Service<IBlobStore>().ListAsync("datasets", "").ToListAsync());
    }

    [Fact]
    public async Task Validation_names_lines_and_preview_asks_the_model_of_the_first_rows()
    {
        await using var app = await TestApp.StartAsync();
        var id = (await CreateAsync(app, Rows.Length)).Text("id");
        var good = (await app.Client.PostAsync($"uploads/{id}/complete", new { part_ids = new[] { await PartAsync(app.Client, id, Rows) } }).JsonAsync()).GetProperty("file").Text("id");
        var report = await app.Client.PostAsync($"files/{good}/validate", null!).JsonAsync();
        Assert.Equal((true, 2, "text"), (report.GetProperty("valid").GetBoolean(), report.GetProperty("rows").GetInt32(), report.Text("format")));
        var preview = await app.Client.GetAsync($"files/{good}/preview?model=langtrain/tiny&rows=1").JsonAsync();
        Assert.Contains("one", Assert.Single(preview.GetProperty("rows").EnumerateArray()).GetProperty("examples")[0].GetProperty("segments")[0].Text("text"), StringComparison.Ordinal);

        byte[] broken = [.. Rows, .. "[1]\n"u8];
        id = (await CreateAsync(app, broken.Length)).Text("id");
        var bad = (await app.Client.PostAsync($"uploads/{id}/complete", new { part_ids = new[] { await PartAsync(app.Client, id, broken) } }).JsonAsync()).GetProperty("file").Text("id");
        report = await app.Client.PostAsync($"files/{bad}/validate?model=langtrain/tiny", null!).JsonAsync();
        Assert.Equal((false, 3), (report.GetProperty("valid").GetBoolean(), report.GetProperty("problems")[0].GetProperty("line").GetInt32()));
        await app.Client.GetAsync($"files/{bad}/preview").ErrorAsync(HttpStatusCode.BadRequest);
        await app.Client.GetAsync($"files/{bad}/preview?model=nobody/none").ErrorAsync(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("bytes=2-4", 206, 2, 3)]
    [InlineData("bytes=10-", 206, 10, 20)]
    [InlineData("bytes=-5", 206, 25, 5)]
    [InlineData("bytes=28-99", 206, 28, 2)]
    [InlineData("bytes=30-31", 416, 0, 0)]
    [InlineData("bytes=0-1,4-5", 200, 0, 30)]
    public async Task Content_comes_in_ranges(string range, int status, int from, int length)
    {
        await using var app = await TestApp.StartAsync();
        var id = (await CreateAsync(app, Rows.Length)).Text("id");
        var file = (await app.Client.PostAsync($"uploads/{id}/complete", new { part_ids = new[] { await PartAsync(app.Client, id, Rows) } }).JsonAsync()).GetProperty("file").Text("id");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"files/{file}/content") { Headers = { { "Range", range } } };
        using var response = await app.Client.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
        var sent = response.Content.Headers.ContentRange?.ToString();
        Assert.Equal(status switch { 206 => $"bytes {from}-{from + length - 1}/30", 416 => "bytes */30", _ => null }, sent);
        Assert.Equal("bytes", Assert.Single(response.Headers.AcceptRanges));
        if (status != 416)
        {
            Assert.Equal($"\"{Convert.ToHexStringLower(SHA256.HashData(Rows))}\"", response.Headers.ETag?.ToString());
            Assert.Equal(Rows[from..(from + length)], await response.Content.ReadAsByteArrayAsync());
        }
    }

    [Theory]
    [InlineData("\"{0}\"", 206)]
    [InlineData("W/\"{0}\"", 200)]
    [InlineData("{0}", 200)]
    [InlineData("\"other\"", 200)]
    [InlineData("Sat, 28 Nov 2026 00:00:00 GMT", 200)]
    public async Task A_range_under_a_condition_needs_the_strong_tag_of_the_file(string condition, int status)
    {
        await using var app = await TestApp.StartAsync();
        var id = (await CreateAsync(app, Rows.Length)).Text("id");
        var file = (await app.Client.PostAsync($"uploads/{id}/complete", new { part_ids = new[] { await PartAsync(app.Client, id, Rows) } }).JsonAsync()).GetProperty("file").Text("id");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"files/{file}/content") { Headers = { { "Range", "bytes=2-4" } } };
        request.Headers.TryAddWithoutValidation("If-Range", condition.Replace("{0}", Convert.ToHexStringLower(SHA256.HashData(Rows)), StringComparison.Ordinal));
        using var response = await app.Client.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status == 206 ? 3 : 30, (await response.Content.ReadAsByteArrayAsync()).Length);
    }

    [Fact]
    public async Task File_that_a_job_is_about_to_read_is_not_deleted()
    {
        await using var app = await TestApp.StartAsync();
        var id = (await CreateAsync(app, Rows.Length)).Text("id");
        var file = (await app.Client.PostAsync($"uploads/{id}/complete", new { part_ids = new[] { await PartAsync(app.Client, id, Rows) } }).JsonAsync()).GetProperty("file").Text("id");
        var job = await app.Client.PostAsync("fine-tunes", new { model_id = "langtrain/tiny", dataset = new { file_id = file } }).JsonAsync();
        Assert.Contains(job.Text("id"), (await app.Client.DeleteAsync("files/" + file).ErrorAsync(HttpStatusCode.Conflict)).Text("message"), StringComparison.Ordinal);
    }

    private static string Md5(byte[] bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        hash.AppendData(bytes);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static Task<System.Text.Json.JsonElement> CreateAsync(TestApp app, int bytes) =>
        app.Client.PostAsync("uploads", new { filename = "train.jsonl", purpose = "fine-tune", bytes, mime_type = "text/jsonl" }).JsonAsync();

    private static async Task<string> PartAsync(HttpClient client, string uploadId, byte[] bytes)
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(bytes), "data", "part" } };
        return (await client.PostAsync($"uploads/{uploadId}/parts", form).JsonAsync()).Text("id");
    }
}
