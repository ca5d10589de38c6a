using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace LangTrain.Flow.Tests;

/// <summary>A web server that takes webhook calls, on a port of the system's choice.</summary>
internal sealed class WebhookReceiver : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<WebhookReceived> _calls = [];

    public WebhookReceiver()
    {
        Url = LocalHostProcess.FreeUrl().GetLeftPart(UriPartial.Authority) + "/hook/";
        _listener.Prefixes.Add(Url);
        _listener.Start();
        _ = Task.Run(ListenAsync);
    }

    /// <summary>Where it listens.</summary>
    public string Url { get; }

    /// <summary>The events that came, each once.</summary>
    public IEnumerable<string> Ids => _calls.Select(call => call.Id).Distinct();

    /// <summary>The first call, waited for.</summary>
    public async Task<WebhookReceived> FirstAsync(TimeSpan patience)
    {
        for (var end = DateTime.UtcNow + patience; DateTime.UtcNow < end; await Task.Delay(100))
        {
            if (_calls.TryPeek(out var call))
            {
                return call;
            }
        }

        throw new TimeoutException($"No webhook call came in {patience}.");
    }

    public void Dispose() => _listener.Close();

    private async Task ListenAsync()
    {
        while (_listener.IsListening)
        {
            var context = await _listener.GetContextAsync();
            using var reader = new StreamReader(context.Request.InputStream);
            var headers = context.Request.Headers;
            _calls.Enqueue(new WebhookReceived(headers["webhook-id"]!, headers["webhook-timestamp"]!, headers["webhook-signature"]!, await reader.ReadToEndAsync()));
            context.Response.Close();
        }
    }
}

/// <summary>A webhook call as it came.</summary>
internal sealed record WebhookReceived(string Id, string Timestamp, string Signature, string Text)
{
    public JsonNode Body => JsonNode.Parse(Text)!;

    /// <summary>Checks the signature by the standard's rule.</summary>
    public void AssertSigned(string secret)
    {
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        var expected = Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{Id}.{Timestamp}.{Text}")));
        Assert.Contains("v1," + expected, Signature.Split(' '));
    }
}
