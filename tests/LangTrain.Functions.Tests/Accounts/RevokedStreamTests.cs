using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LangTrain.Core.Accounts;
using LangTrain.Core.FineTunes;
using LangTrain.Functions.Tests.Generation;
using LangTrain.Functions.Tests.Hosting;
using LangTrain.Testing;

namespace LangTrain.Functions.Tests.Accounts;

/// <summary>What is open when a key ends.</summary>
public sealed class RevokedStreamTests
{
    private const string RelayKey = "an-access-key-of-web-pubsub";

    [Fact]
    public async Task A_stream_ends_within_five_seconds_when_its_key_is_revoked_and_says_why()
    {
        await using var app = await TestApp.StartAsync();
        var job = await app.Client.PostAsync("fine-tunes", new { model_id = "langtrain/tiny", dataset = new { url = "https://example.com/x.jsonl" } }).JsonAsync();
        var key = await app.Client.PostAsync("api-keys", new { scopes = new[] { "read" } }).JsonAsync();
        using var client = app.ClientWith(key.Text("key"));
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        await using var stream = await client.GetStreamAsync($"fine-tunes/{job.Text("id")}/events");
        using var reader = new StreamReader(stream);
        Assert.StartsWith("id: 1", await reader.ReadLineAsync(), StringComparison.Ordinal);

        await app.Client.DeleteAsync("api-keys/" + key.Text("id")).JsonAsync();
        Assert.Equal("invalid_api_key", await LastErrorAsync(reader));
    }

    [Fact]
    public async Task An_answer_that_is_being_written_ends_within_five_seconds_and_says_why()
    {
        await using var app = await TestApp.StartAsync();
        app.Worker.Script = CompletionTests.Endless;
        var key = await app.Client.PostAsync("api-keys", new { scopes = new[] { "infer" } }).JsonAsync();
        using var client = app.ClientWith(key.Text("key"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "completions") { Content = JsonContent.Create(new { model = "langtrain/tiny", prompt = "x", stream = true }) };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.StartsWith("data: ", await reader.ReadLineAsync(), StringComparison.Ordinal);

        await app.Client.DeleteAsync("api-keys/" + key.Text("id")).JsonAsync();
        Assert.Equal("invalid_api_key", await LastErrorAsync(reader));
        Assert.Equal(1, app.Worker.Abandoned);
    }

    [Fact]
    public async Task Its_web_sockets_are_closed_and_an_address_that_outlived_it_is_told_nothing()
    {
        await using var app = await TestApp.StartAsync(settings: new LangTrainSettings
        {
            SigningKey = "a secret of this installation, for tests", WebPubSubConnectionString = $"Endpoint=https://wps.example;AccessKey={RelayKey};Version=1.0;",
        });
        var relay = (RecordingRelay)app.Service<IJobRelay>();
        var job = await app.Client.PostAsync("fine-tunes", new { model_id = "langtrain/tiny", dataset = new { url = "https://example.com/x.jsonl" } }).JsonAsync();
        var key = await app.Client.PostAsync("api-keys", new { scopes = new[] { "read" } }).JsonAsync();
        using var client = app.ClientWith(key.Text("key"));
        var address = (await client.PostAsync($"fine-tunes/{job.Text("id")}/stream/negotiate", new { }).JsonAsync()).Text("url");
        var user = address.Split("access_token=")[1];
        user = user[..user.LastIndexOf('.')];

        await ConnectAsync(app, "before", user);
        Assert.NotEmpty(relay.SentTo("before"));
        await app.Client.DeleteAsync("api-keys/" + key.Text("id")).JsonAsync();
        var ended = $"{BootstrapAccount.AccountId}/{key.Text("id")}";
        Assert.Equal([ended], relay.Disconnected);
        await ConnectAsync(app, "after", user);
        Assert.Empty(relay.SentTo("after"));
        Assert.Equal([ended, ended], relay.Disconnected);
    }

    /// <summary>Code of the error that a stream ends with, within five seconds.</summary>
    private static async Task<string> LastErrorAsync(StreamReader reader)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        string? last = null;
        while (await reader.ReadLineAsync(patience.Token) is { } line)
        {
            last = line.Length > 0 ? line : last;
        }

        return JsonElement.Parse(last!["data: ".Length..]).GetProperty("error").Text("code");
    }

    private static async Task ConnectAsync(TestApp app, string connectionId, string user)
    {
        using var told = new HttpRequestMessage(HttpMethod.Post, "hubs/jobs/events");
        told.Headers.Add("ce-connectionId", connectionId);
        told.Headers.Add("ce-type", "azure.webpubsub.sys.connected");
        told.Headers.Add("ce-userId", user);
        told.Headers.Add("ce-signature", "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(RelayKey), Encoding.UTF8.GetBytes(connectionId))));
        using var response = await app.Client.SendAsync(told);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }
}
