using System.Net;
using System.Text;
using LangTrain.AzureAdapters;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models;
using LangTrain.Functions.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace LangTrain.Functions.Tests.Http;

public sealed class ErrorsTests
{
    [Theory]
    [InlineData(null, "missing_api_key")]
    [InlineData("Bearer wrong", "invalid_api_key")]
    [InlineData("Basic abc", "invalid_authorization_header")]
    public async Task No_or_wrong_key_is_401_with_the_scheme(string? header, string code)
    {
        await using var app = await TestApp.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(app.BaseAddress, "user/profile"));
        request.Headers.TryAddWithoutValidation("Authorization", header);
        using var client = app.ClientWith(null);
        using var response = await client.SendAsync(request);
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
        var error = await Task.FromResult(response).ErrorAsync(HttpStatusCode.Unauthorized);
        Assert.Equal(code, error.Text("code"));
        Assert.Equal("authentication_error", error.Text("type"));
        Assert.True(response.Headers.Contains("x-request-id"));
    }

    [Theory]
    [InlineData("completions", "application/json", "gzip")]
    [InlineData("files", "multipart/form-data; boundary=x", "br")]
    public async Task A_compressed_body_is_refused_by_name(string path, string type, string encoding)
    {
        await using var app = await TestApp.StartAsync();
        using var content = new ByteArrayContent([0x1f, 0x8b]);
        content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse(type);
        content.Headers.ContentEncoding.Add(encoding);
        Assert.Equal("Content-Encoding", (await app.Client.PostAsync(path, content).ErrorAsync(HttpStatusCode.UnsupportedMediaType)).Text("param"));
    }

    [Fact]
    public async Task A_path_that_leads_nowhere_is_404_for_anybody_and_counts_for_a_key_that_is_known()
    {
        await using var app = await TestApp.StartAsync();
        using var anybody = app.ClientWith(null);
        using var stranger = app.ClientWith("lt-wrong");
        foreach (var (client, isKnown) in ((HttpClient, bool)[])[(app.Client, true), (anybody, false), (stranger, false)])
        {
            using var response = await client.GetAsync("no/such/path");
            Assert.Equal("unknown_url", (await Task.FromResult(response).ErrorAsync(HttpStatusCode.NotFound)).Text("code"));
            Assert.Equal(isKnown, response.Headers.Contains("x-ratelimit-remaining-requests"));
        }
    }

    [Fact]
    public async Task Storage_that_does_not_answer_is_503_with_retry_after()
    {
        // A port that nobody listens on any more.
        using var gone = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        gone.Start();
        var port = ((IPEndPoint)gone.LocalEndpoint).Port;
        gone.Stop();
        var connection = $"DefaultEndpointsProtocol=http;AccountName=nobody;AccountKey=AAAA;TableEndpoint=http://127.0.0.1:{port}/nobody;QueueEndpoint=http://127.0.0.1:{port}/nobody;BlobEndpoint=http://127.0.0.1:{port}/nobody";
        await using var storage = new ServiceCollection().AddLogging()
            .AddLangTrainAzureAdapters(new AzureAdaptersOptions { StorageConnectionString = connection }).BuildServiceProvider();
        await using var app = await TestApp.StartAsync(change: services => services.AddSingleton(storage.GetRequiredService<IFineTuneStore>()));

        using var response = await app.Client.GetAsync("fine-tunes");

        Assert.True(response.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        var error = await Task.FromResult(response).ErrorAsync(HttpStatusCode.ServiceUnavailable);
        Assert.Equal("storage_unavailable", error.Text("code"));
    }

    [Fact]
    public async Task Request_id_is_the_clients_where_it_is_sane()
    {
        await using var app = await TestApp.StartAsync();
        Assert.Equal("abc-1", await IdFor(app, "abc-1"));
        Assert.StartsWith("req-", await IdFor(app, "two words"), StringComparison.Ordinal);
        Assert.StartsWith("req-", await IdFor(app, new string('a', 200)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unknown_path_is_404_and_unknown_method_405_with_allow()
    {
        await using var app = await TestApp.StartAsync();
        Assert.Equal("unknown_url", (await app.Client.GetAsync("nothing/here").ErrorAsync(HttpStatusCode.NotFound)).Text("code"));
        using var response = await app.Client.PutAsync("user/profile", null);
        Assert.Equal(["GET"], response.Content.Headers.Allow);
        Assert.Equal("method_not_allowed", (await Task.FromResult(response).ErrorAsync(HttpStatusCode.MethodNotAllowed)).Text("code"));
    }

    [Fact]
    public async Task Unforeseen_failure_shows_the_request_id_and_nothing_internal()
    {
        await using var app = await TestApp.StartAsync(change: services => services.AddSingleton<IModelStore, ThrowingModelStore>());
        using var response = await app.Client.GetAsync("models");
        var error = await Task.FromResult(response).ErrorAsync(HttpStatusCode.InternalServerError);
        Assert.Contains(response.Headers.GetValues("x-request-id").Single(), error.Text("message"), StringComparison.Ordinal);
        Assert.DoesNotContain("secret-table", error.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{not json", "invalid_json")]
    [InlineData("[1]", "invalid_type")]
    [InlineData("", "invalid_json")]
    [InlineData("{\"model\":\"m\",\"model\":\"n\",\"prompt\":\"x\"}", "duplicate_key")]
    [InlineData("{\"model\":\"m\",\"prompt\":\"\\ud800\"}", "invalid_string")]
    [InlineData("{\"model\":\"m\",\"prompt\":\"a\\u0000b\"}", "invalid_string")]
    [InlineData("{\"model\":\"m\",\"prompt\":\"x\",\"temperature\":1e999}", "invalid_number")]
    [InlineData("{\"model\":\"m\",\"prompt\":\"x\",\"temprature\":1}", "unknown_parameter")]
    [InlineData("{\"model\":5,\"prompt\":\"x\"}", "invalid_type")]
    public async Task Bad_json_is_400(string body, string code)
    {
        await using var app = await TestApp.StartAsync();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        Assert.Equal(code, (await app.Client.PostAsync("completions", content).ErrorAsync(HttpStatusCode.BadRequest)).Text("code"));
    }

    [Fact]
    public async Task Deep_nesting_large_bodies_and_other_types_are_refused()
    {
        await using var app = await TestApp.StartAsync();
        using var deep = new StringContent("{\"a\":" + new string('[', 100_000) + new string(']', 100_000) + "}", Encoding.UTF8, "application/json");
        await app.Client.PostAsync("completions", deep).ErrorAsync(HttpStatusCode.BadRequest);
        using var large = new StringContent("{\"prompt\":\"" + new string('a', 9_000_000) + "\"}", Encoding.UTF8, "application/json");
        await app.Client.PostAsync("completions", large).ErrorAsync(HttpStatusCode.RequestEntityTooLarge);
        using var form = new StringContent("a=b", Encoding.UTF8, "application/x-www-form-urlencoded");
        await app.Client.PostAsync("completions", form).ErrorAsync(HttpStatusCode.UnsupportedMediaType);
    }

    [Fact]
    public async Task All_problems_of_a_request_come_at_once()
    {
        await using var app = await TestApp.StartAsync();
        var error = await app.Client.PostAsync("completions", new { model = "langtrain/tiny", temperature = 9, stop = 5, topp = 1 }).ErrorAsync(HttpStatusCode.BadRequest);
        var found = error.GetProperty("errors").EnumerateArray().Select(one => one.Text("param")).ToArray();
        Assert.Equivalent(new[] { "temperature", "stop", "prompt", "topp" }, found, strict: true);
        Assert.Contains("did you mean 'top_p'", error.Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_scope_is_403()
    {
        await using var app = await TestApp.StartAsync();
        var made = await app.Client.PostAsync("api-keys", new { name = "chat page", scopes = new[] { "infer" } }).JsonAsync();
        using var client = app.ClientWith(made.Text("key"));
        Assert.Equal("missing_scope", (await client.GetAsync("files").ErrorAsync(HttpStatusCode.Forbidden)).Text("code"));
        await client.PostAsync("completions", new { model = "langtrain/tiny", prompt = "x" }).JsonAsync();
    }

    private static async Task<string> IdFor(TestApp app, string given)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "user/profile");
        request.Headers.TryAddWithoutValidation("x-request-id", given);
        using var response = await app.Client.SendAsync(request);
        return response.Headers.GetValues("x-request-id").Single();
    }

    private sealed class ThrowingModelStore : IModelStore
    {
        public Task<StoredModel?> FindAsync(string? accountId, string modelId, CancellationToken cancellation = default) => throw Failure();

        public Task UpsertAsync(StoredModel model, CancellationToken cancellation = default) => throw Failure();

        public Task<bool> DeleteAsync(string? accountId, string modelId, CancellationToken cancellation = default) => throw Failure();

        public IAsyncEnumerable<StoredModel> ListAsync(string? accountId, CancellationToken cancellation = default) => throw Failure();

        private static InvalidOperationException Failure() => new("secret-table is gone");
    }
}
