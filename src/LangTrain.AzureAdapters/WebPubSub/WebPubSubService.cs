using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Azure.Core;
using Azure.Identity;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace LangTrain.AzureAdapters.WebPubSub;

/// <summary>The data-plane REST API of Azure Web PubSub, as far as it is needed here. Thread-safe.</summary>
/// <remarks>
/// learn.microsoft.com/rest/api/webpubsub/dataplane. Signs with the access key of a connection string, or asks under an identity; the client
/// token of an identity is made by the service itself (<c>:generateToken</c>). Tokens are never logged.
/// </remarks>
internal sealed class WebPubSubService : IDisposable
{
    private const string ApiVersion = "2024-12-01";
    private const string Scope = "https://webpubsub.azure.com/.default";
    // The service takes 1 MB.
    private const int LargestMessageBytes = 1_000_000;
    private const int CutMessageCharacters = 1000;
    private static readonly JsonElement CutData = JsonDocument.Parse("""{"truncated":true}""").RootElement;
    private static readonly TimeSpan RequestTokenLife = TimeSpan.FromMinutes(5);

    private readonly HttpClient _client = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = TimeSpan.FromSeconds(20) };
    private readonly Uri _endpoint;
    private readonly string _hub;
    private readonly SigningCredentials? _key;
    private readonly TokenCredential? _identity;
    private readonly TimeProvider _time;

    /// <exception cref="ArgumentException">The connection string has no endpoint or no key.</exception>
    public WebPubSubService(string? connectionString, Uri? endpoint, TokenCredential? identity, string hub, TimeProvider time)
    {
        (_hub, _time, _identity) = (hub, time, identity);
        if (connectionString is null)
        {
            _endpoint = endpoint ?? throw new ArgumentException("Neither a connection string nor an endpoint is given.", nameof(endpoint));
            return;
        }

        var parts = connectionString.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(part => part.Split('=', 2)).Where(part => part.Length == 2).ToDictionary(part => part[0], part => part[1], StringComparer.OrdinalIgnoreCase);
        if (!parts.TryGetValue("Endpoint", out var address) || !parts.TryGetValue("AccessKey", out var key))
        {
            throw new ArgumentException("The Web PubSub connection string must have an Endpoint and an AccessKey.", nameof(connectionString));
        }

        var uri = new Uri(address);
        // An endpoint may carry its port on its own, as the portal writes it for local services.
        _endpoint = parts.TryGetValue("Port", out var port) ? new UriBuilder(uri) { Port = int.Parse(port, CultureInfo.InvariantCulture) }.Uri : uri;
        _key = new SigningCredentials(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(key)), SecurityAlgorithms.HmacSha256);
    }

    /// <summary>Sends one JSON message to a group.</summary>
    public Task<SendOutcome> SendToGroupAsync(string group, ReadOnlyMemory<byte> json, CancellationToken cancellation) =>
        PostAsync($"api/hubs/{_hub}/groups/{Uri.EscapeDataString(group)}/:send", "", json, cancellation);

    /// <summary>Sends one JSON message to one connection.</summary>
    /// <returns>Status 404 when the connection is gone.</returns>
    public Task<SendOutcome> SendToConnectionAsync(string connectionId, ReadOnlyMemory<byte> json, CancellationToken cancellation) =>
        PostAsync($"api/hubs/{_hub}/connections/{Uri.EscapeDataString(connectionId)}/:send", "", json, cancellation);

    /// <summary>Ends the connections of a group, now.</summary>
    /// <param name="group">Which.</param>
    /// <param name="reason">Told to their clients.</param>
    /// <param name="cancellation">Stops it.</param>
    public Task<SendOutcome> CloseGroupAsync(string group, string reason, CancellationToken cancellation) =>
        PostAsync($"api/hubs/{_hub}/groups/{Uri.EscapeDataString(group)}/:closeConnections", "reason=" + Uri.EscapeDataString(reason), default, cancellation);

    /// <summary>An address at which a client joins some groups on connecting, and can do nothing else.</summary>
    public async Task<Uri> CreateClientUrlAsync(string user, IReadOnlyList<string> groups, TimeSpan lifetime, CancellationToken cancellation)
    {
        var client = new UriBuilder(_endpoint) { Path = $"/client/hubs/{_hub}" };
        var audience = client.Uri.GetLeftPart(UriPartial.Path);
        string token;
        if (_key is not null)
        {
            token = Sign(audience, lifetime, new Dictionary<string, object> { ["sub"] = user, ["webpubsub.group"] = groups });
        }
        else
        {
            var minutes = Math.Max(1, (int)Math.Ceiling(lifetime.TotalMinutes));
            var query = string.Create(CultureInfo.InvariantCulture,
                $"userId={Uri.EscapeDataString(user)}&minutesToExpire={minutes}{string.Concat(groups.Select(group => "&group=" + Uri.EscapeDataString(group)))}");
            using var request = await RequestAsync($"api/hubs/{_hub}/:generateToken", query, cancellation);
            using var response = await _client.SendAsync(request, cancellation);
            response.EnsureSuccessStatusCode();
            using var answer = await response.Content.ReadFromJsonAsync<JsonDocument>(cancellation);
            token = answer!.RootElement.GetProperty("token").GetString()!;
        }

        client.Scheme = _endpoint.Scheme == Uri.UriSchemeHttps ? "wss" : "ws";
        client.Query = "access_token=" + token;
        return client.Uri;
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    /// <summary>An event as clients see it: without the key that only the log needs, and cut short where the service would not take it.</summary>
    public static byte[] Message(JobEvent told)
    {
        var seen = told with { Key = null };
        var message = JsonSerializer.SerializeToUtf8Bytes(seen, LangTrainJson.Default.JobEvent);
        if (message.Length <= LargestMessageBytes)
        {
            return message;
        }

        var cut = seen with { Message = seen.Message is { Length: > CutMessageCharacters } text ? text[..CutMessageCharacters] + "…" : seen.Message, Data = CutData };
        return JsonSerializer.SerializeToUtf8Bytes(cut, LangTrainJson.Default.JobEvent);
    }

    private async Task<SendOutcome> PostAsync(string path, string query, ReadOnlyMemory<byte> json, CancellationToken cancellation)
    {
        try
        {
            using var request = await RequestAsync(path, query, cancellation);
            request.Content = new ReadOnlyMemoryContent(json) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using var response = await _client.SendAsync(request, cancellation);
            return SendOutcome.From(response);
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException or AuthenticationFailedException && !cancellation.IsCancellationRequested)
        {
            return new SendOutcome(0, failure.GetType().Name);
        }
    }

    private async Task<HttpRequestMessage> RequestAsync(string path, string query, CancellationToken cancellation)
    {
        var address = new UriBuilder(new Uri(_endpoint, path)) { Query = $"api-version={ApiVersion}" + (query.Length == 0 ? "" : "&" + query) }.Uri;
        var token = _key is not null
            ? Sign(address.GetLeftPart(UriPartial.Path), RequestTokenLife, [])
            : (await (_identity ?? throw new InvalidOperationException("Web PubSub has neither key nor identity.")).GetTokenAsync(
                new TokenRequestContext([Scope]), cancellation)).Token;
        return new HttpRequestMessage(HttpMethod.Post, address) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
    }

    private string Sign(string audience, TimeSpan lifetime, Dictionary<string, object> claims)
    {
        var now = _time.GetUtcNow().UtcDateTime;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Audience = audience,
            IssuedAt = now,
            NotBefore = now,
            Expires = now + lifetime,
            Claims = claims,
            SigningCredentials = _key,
        });
    }
}
