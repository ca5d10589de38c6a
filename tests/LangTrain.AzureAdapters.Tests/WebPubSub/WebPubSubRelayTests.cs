using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Web;
using Azure.Core;
using LangTrain.AzureAdapters.WebPubSub;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace LangTrain.AzureAdapters.Tests.WebPubSub;

public sealed class WebPubSubRelayTests : IAsyncLifetime
{
    private const string AccessKey = "an-access-key-of-more-than-32-bytes-for-hs256=";
    private static readonly FineTuneRef JobA = new(Some.AccountId, "ftjob-a"), JobB = new(Some.AccountId, "ftjob-b");
    private readonly ConcurrentQueue<(string Group, JsonElement Message)> _received = new();
    private readonly InMemoryJobEventLog _log = new();
    private readonly RecordingLogger _logger = new();
    private LocalServer _server = null!;
    private int _requests;

    /// <summary>Status with which the service refuses the n-th request, or 0.</summary>
    private Func<int, int> Refuse { get; set; } = _ => 0;

    /// <summary>What the service waits for before it takes the n-th request.</summary>
    private Func<int, Task> Gate { get; set; } = _ => Task.CompletedTask;

    public async ValueTask InitializeAsync() => _server = await LocalServer.StartAsync(HandleAsync);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Events_arrive_in_order_in_their_jobs_group_without_the_logs_key()
    {
        await using var relay = NewRelay();
        foreach (var job in new[] { JobA, JobB })
        {
            relay.Publish(job, await _log.AppendAsync(job, [Some.Event("a", "eins"), Some.Event("b", "zwei")]));
        }

        relay.Publish(JobA, []);
        relay.Publish(JobA, await _log.AppendAsync(JobA, [Some.Event("c")]));

        Assert.Equal([1, 2, 3], await ReceivedAsync(JobA, 3));
        Assert.Equal([1, 2], await ReceivedAsync(JobB, 2));
        var first = _received.First(r => r.Group == JobStreamUser.GroupOf(JobA)).Message;
        Assert.Equal(("log", "ftjob-a", "eins"), (Text(first, "type"), Text(first, "job_id"), Text(first, "message")));
        Assert.False(first.TryGetProperty("key", out _));
    }

    [Fact]
    public async Task What_does_not_fit_into_memory_is_read_from_the_log_and_comes_in_order_once()
    {
        var open = new TaskCompletionSource();
        var half = new TaskCompletionSource();
        Gate = n => n == 10 ? half.Task : open.Task;
        await using var relay = NewRelay(mostInMemory: 20);
        for (var i = 0; i < 100; i++)
        {
            relay.Publish(JobA, await _log.AppendAsync(JobA, [Some.Event($"a{i}"), Some.Event($"b{i}"), Some.Event($"c{i}")]));
        }

        open.SetResult();
        await ReceivedAsync(JobA, 9);
        // There is room in memory again, but what comes now must not overtake what did not fit before.
        relay.Publish(JobA, await _log.AppendAsync(JobA, [Some.Event("overtakes")]));
        half.SetResult();

        Assert.Equal(Enumerable.Range(1, 301).Select(n => (long)n), await ReceivedAsync(JobA, 301));
        // And goes on from memory.
        relay.Publish(JobA, await _log.AppendAsync(JobA, [Some.Event("last")]));
        Assert.Equal(302, (await ReceivedAsync(JobA, 302))[^1]);
    }

    [Fact]
    public async Task Of_a_long_silence_the_last_part_is_sent()
    {
        var open = new TaskCompletionSource();
        Gate = _ => open.Task;
        await using var relay = NewRelay(mostInMemory: 0);
        relay.Publish(JobA, await _log.AppendAsync(JobA, [Some.Event("first")]));
        await WaitUntilAsync(() => Volatile.Read(ref _requests) == 1);
        relay.Publish(JobA, await _log.AppendAsync(JobA, [.. Enumerable.Range(0, 2000).Select(i => Some.Event($"e{i}"))]));
        open.SetResult();

        var received = await ReceivedAsync(JobA, 501);
        Assert.Equal(1, received[0]);
        Assert.Equal(Enumerable.Range(1502, 500).Select(n => (long)n), received.Skip(1));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    [InlineData(401)]
    public async Task A_service_that_refuses_for_a_while_gets_everything_later(int status)
    {
        Refuse = n => n is 2 or 3 ? status : 0;
        await using var relay = NewRelay();
        relay.Publish(JobA, await _log.AppendAsync(JobA, [.. Enumerable.Range(0, 5).Select(i => Some.Event($"e{i}"))]));

        Assert.Equal([1, 2, 3, 4, 5], await ReceivedAsync(JobA, 5));
    }

    [Fact]
    public async Task A_message_that_is_never_taken_is_left_out_and_a_large_one_is_cut()
    {
        Refuse = n => n == 2 ? 400 : 0;
        await using var relay = NewRelay();
        relay.Publish(JobA, await _log.AppendAsync(JobA, [Some.Event("a"), Some.Event("b"), Some.Event("c", new string('x', 2_000_000))]));

        Assert.Equal([1, 3], await ReceivedAsync(JobA, 2));
        var cut = _received.Last().Message;
        Assert.Equal((1001, true), (Text(cut, "message").Length, cut.GetProperty("data").GetProperty("truncated").GetBoolean()));
        Assert.Contains(_logger.Lines, line => line.Contains("left out", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_service_that_is_not_there_delays_nobody_and_no_secret_is_logged()
    {
        await using (var relay = NewRelay(endpoint: new Uri("http://127.0.0.1:1")))
        {
            var events = await _log.AppendAsync(JobA, [.. Enumerable.Range(0, 50).Select(i => Some.Event($"e{i}"))]);
            for (var i = 0; i < 2000; i++)
            {
                relay.Publish(JobA, events);
            }

            await WaitUntilAsync(() => !_logger.Lines.IsEmpty);
            await relay.CreateClientUrlAsync(new JobStreamUser(JobA, "key-1"), TimeSpan.FromMinutes(1));
        }

        Assert.DoesNotContain(_logger.Lines, line => line.Contains(AccessKey, StringComparison.Ordinal) || line.Contains("eyJ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Ending_sends_what_waits()
    {
        var relay = NewRelay(time: new ManualTimeProvider()); // stands still: a busy machine may need more than the moment that there is
        relay.Publish(JobA, await _log.AppendAsync(JobA, [.. Enumerable.Range(0, 30).Select(i => Some.Event($"e{i}"))]));
        await relay.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(30, _received.Count);
    }

    [Fact]
    public async Task A_replay_goes_to_one_connection_and_stops_when_it_is_gone()
    {
        await using var relay = NewRelay();
        var events = await _log.AppendAsync(JobA, [Some.Event("a"), Some.Event("b"), Some.Event("c")]);
        Refuse = n => n == 2 ? 503 : n == 4 ? 404 : 0;

        await relay.SendToConnectionAsync("conn/1", events);

        Assert.Equal([("conn/1", 1), ("conn/1", 2)], _received.Select(r => (r.Group, r.Message.GetProperty("sequence").GetInt32())));
        Refuse = _ => 400;
        await Assert.ThrowsAsync<IOException>(() => relay.SendToConnectionAsync("conn/1", events));
    }

    [Fact]
    public async Task A_clients_address_joins_the_jobs_group_and_may_nothing_else()
    {
        await using var relay = NewRelay();
        var before = DateTimeOffset.UtcNow;

        var url = await relay.CreateClientUrlAsync(new JobStreamUser(JobA, "key-1"), TimeSpan.FromMinutes(10));

        Assert.Equal(("ws", _server.Address.Authority, "/client/hubs/jobs"), (url.Scheme, url.Authority, url.AbsolutePath));
        var token = await ValidateAsync(HttpUtility.ParseQueryString(url.Query)["access_token"]!, new Uri(_server.Address, "/client/hubs/jobs").AbsoluteUri);
        Assert.Equal([JobStreamUser.GroupOf(JobA), JobStreamUser.GroupOfKey(Some.AccountId, "key-1")], token.Claims.Where(claim => claim.Type == "webpubsub.group").Select(claim => claim.Value));
        Assert.Equal(new JobStreamUser(JobA, "key-1"), JobStreamUser.Parse(token.Subject));
        Assert.DoesNotContain(token.Claims, claim => claim.Type == "role");
        Assert.InRange(token.ValidTo, before.UtcDateTime.AddMinutes(9.9), before.UtcDateTime.AddMinutes(10.2));
        Assert.NotEqual(JobStreamUser.GroupOf(JobA), JobStreamUser.GroupOf(JobA with { AccountId = "user-other" }));
    }

    [Fact]
    public async Task Under_an_identity_the_service_makes_the_clients_token()
    {
        await using var relay = new WebPubSubRelay(
            new WebPubSubService(null, _server.Address, new FixedCredential(), "jobs", TimeProvider.System), _log, TimeProvider.System, _logger);

        var url = await relay.CreateClientUrlAsync(new JobStreamUser(JobA, "key-1"), TimeSpan.FromSeconds(90));
        relay.Publish(JobA, await _log.AppendAsync(JobA, [Some.Event("a")]));

        Assert.Equal("made-by-the-service", HttpUtility.ParseQueryString(url.Query)["access_token"]);
        Assert.Equal([1], await ReceivedAsync(JobA, 1));
    }

    private WebPubSubRelay NewRelay(int mostInMemory = 4096, Uri? endpoint = null, TimeProvider? time = null) => new(
        new WebPubSubService($"Endpoint={endpoint ?? _server.Address};AccessKey={AccessKey};Version=1.0;", null, null, "jobs", TimeProvider.System),
        _log, time ?? TimeProvider.System, _logger, mostInMemory);

    private static string Text(JsonElement message, string name) => message.GetProperty(name).GetString()!;

    private static async Task<JsonWebToken> ValidateAsync(string token, string audience)
    {
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidateIssuer = false, ValidAudience = audience, IssuerSigningKey = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(AccessKey)),
        });
        return result.IsValid ? (JsonWebToken)result.SecurityToken : throw result.Exception;
    }

    private static async Task WaitUntilAsync(Func<bool> isTrue)
    {
        for (var i = 0; i < 500 && !isTrue(); i++)
        {
            await Task.Delay(20);
        }

        Assert.True(isTrue());
    }

    private async Task<List<long>> ReceivedAsync(FineTuneRef job, int count)
    {
        IEnumerable<long> Of() => _received.Where(r => r.Group == JobStreamUser.GroupOf(job)).Select(r => r.Message.GetProperty("sequence").GetInt64());
        await WaitUntilAsync(() => Of().Count() >= count);
        return [.. Of()];
    }

    private async Task HandleAsync(HttpContext http)
    {
        var request = Interlocked.Increment(ref _requests);
        await Gate(request);
        var path = http.Request.Path.Value!;
        var bearer = http.Request.Headers.Authorization.ToString()["Bearer ".Length..];
        if (bearer == "of-the-identity")
        {
            if (path == "/api/hubs/jobs/:generateToken")
            {
                string[] names = ["group", "userId", "minutesToExpire"];
                var groups = $"{JobStreamUser.GroupOf(JobA)},{JobStreamUser.GroupOfKey(Some.AccountId, "key-1")}";
                Assert.Equal([groups, new JobStreamUser(JobA, "key-1").ToString(), "2"], names.Select(name => http.Request.Query[name].ToString()));
                await http.Response.WriteAsync("""{"token":"made-by-the-service"}""");
                return;
            }
        }
        else
        {
            await ValidateAsync(bearer, $"http://{http.Request.Host}{http.Request.Path.ToUriComponent()}");
        }

        if (Refuse(request) is var status and > 0)
        {
            http.Response.StatusCode = status;
            http.Response.Headers.RetryAfter = "0";
            return;
        }

        var parts = path.Split('/');
        Assert.Equal(("application/json", ":send"), (http.Request.ContentType, parts[^1]));
        Assert.NotEmpty(http.Request.Query["api-version"].ToString());
        _received.Enqueue((Uri.UnescapeDataString(parts[^2]), (await JsonDocument.ParseAsync(http.Request.Body)).RootElement));
        http.Response.StatusCode = 202;
    }

    private sealed class FixedCredential : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => new("of-the-identity", DateTimeOffset.MaxValue);

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            Assert.Equal(["https://webpubsub.azure.com/.default"], requestContext.Scopes);
            return new(GetToken(requestContext, cancellationToken));
        }
    }

    private sealed class RecordingLogger : ILogger<WebPubSubRelay>
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception) + exception);
    }
}
