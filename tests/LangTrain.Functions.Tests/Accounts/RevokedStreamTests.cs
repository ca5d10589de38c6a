using System.Net.Http.Headers;
using LangTrain.Functions.Tests.Hosting;

namespace LangTrain.Functions.Tests.Accounts;

public sealed class RevokedStreamTests
{
    [Fact]
    public async Task A_stream_ends_within_five_seconds_when_its_key_is_revoked()
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
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (await reader.ReadLineAsync(patience.Token) is not null)
            {
            }
        });
        Assert.False(patience.IsCancellationRequested);
    }
}
