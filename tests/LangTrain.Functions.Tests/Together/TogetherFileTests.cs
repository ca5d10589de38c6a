using System.Net;
using System.Text;
using LangTrain.Core.Accounts;
using LangTrain.Core.Files;
using LangTrain.Functions.Tests.Hosting;
using LangTrain.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace LangTrain.Functions.Tests.Together;

/// <summary>Addresses that take a file's bytes without a key. The client itself runs in the flow tests.</summary>
public sealed class TogetherFileTests
{
    [Fact]
    public async Task Bytes_are_taken_once_for_the_announced_file_and_belong_to_who_announced_it()
    {
        await using var app = await TestApp.StartAsync();
        using var anybody = app.ClientWith(null);
        var (id, address) = await AnnounceAsync(app, TestApp.Key);
        await app.Client.GetAsync("files/" + id).ErrorAsync(HttpStatusCode.NotFound);

        var wrong = address.Replace(id, "file-00000000000000000000000000", StringComparison.Ordinal);
        Assert.Equal("file_not_found", (await PutAsync(anybody, wrong).ErrorAsync(HttpStatusCode.NotFound)).GetProperty("code").GetString());
        var forged = address[..^4] + (address.EndsWith("AAAA", StringComparison.Ordinal) ? "BBBB" : "AAAA");
        await PutAsync(anybody, forged).ErrorAsync(HttpStatusCode.Unauthorized);
        await PutAsync(app.Client, address.Split('?')[0]).ErrorAsync(HttpStatusCode.NotFound);

        var file = await PutAsync(anybody, address).JsonAsync();
        Assert.Equal((id, "rows.jsonl", "fine-tune"), (file.Text("id"), file.Text("filename"), file.Text("purpose")));
        Assert.Equal("file_exists", (await PutAsync(anybody, address).ErrorAsync(HttpStatusCode.Conflict)).GetProperty("code").GetString());
        Assert.Equal("{\"text\":\"x\"}\n", await app.Client.GetStringAsync($"files/{id}/content"));
        using var other = await app.OtherAccountAsync();
        await other.GetAsync("files/" + id).ErrorAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task An_address_ends_with_the_key_that_asked_for_it_and_after_an_hour()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var app = await TestApp.StartAsync(change: services => services.AddSingleton<TimeProvider>(clock));
        using var anybody = app.ClientWith(null);
        var key = await app.Client.PostAsync("api-keys", new { scopes = new[] { "train" } }).JsonAsync();
        var (_, address) = await AnnounceAsync(app, key.Text("key"));
        await app.Client.DeleteAsync("api-keys/" + key.Text("id")).JsonAsync();
        clock.Advance(ApiKeyAuthenticator.Freshness);
        await PutAsync(anybody, address).ErrorAsync(HttpStatusCode.Unauthorized);

        (_, address) = await AnnounceAsync(app, TestApp.Key);
        clock.Advance(UploadTickets.Lifetime);
        Assert.Equal("invalid_ticket", (await PutAsync(anybody, address).ErrorAsync(HttpStatusCode.Unauthorized)).GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("file_name=a.csv&file_type=csv&purpose=fine-tune", "file_type")]
    [InlineData("file_name=a.jsonl&file_type=jsonl&purpose=nonsense", "purpose")]
    [InlineData("file_name=a.jsonl&file_type=jsonl", "purpose")]
    public async Task A_file_that_cannot_be_is_refused_before_its_bytes(string query, string param)
    {
        await using var app = await TestApp.StartAsync();
        Assert.Equal(param, (await app.Client.PostAsync("files?" + query, Form()).ErrorAsync(HttpStatusCode.BadRequest)).GetProperty("param").GetString());
    }

    private static StringContent Form() => new("file_name=x", Encoding.UTF8, "application/x-www-form-urlencoded");

    private static Task<HttpResponseMessage> PutAsync(HttpClient client, string address) => client.PutAsync(new Uri(address), new ByteArrayContent("{\"text\":\"x\"}\n"u8.ToArray()));

    private static async Task<(string Id, string Address)> AnnounceAsync(TestApp app, string key)
    {
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(app.BaseAddress, "files?file_name=%2Ftmp%2Frows.jsonl&file_type=jsonl&purpose=fine-tune")) { Content = Form() };
        request.Headers.Authorization = new("Bearer", key);
        using var response = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Found, response.StatusCode);
        return (response.Headers.GetValues("x-together-file-id").Single(), response.Headers.Location!.AbsoluteUri);
    }
}
