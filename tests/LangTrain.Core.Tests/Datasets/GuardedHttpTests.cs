using System.Net;
using System.Net.Sockets;
using System.Text;
using LangTrain.Core.Accounts;
using LangTrain.Core.Datasets;
using LangTrain.Core.Webhooks;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Datasets;

public sealed class GuardedHttpTests
{
    private const string Public = "93.184.215.14", OtherPublic = "2606:4700::1111";
    private static readonly DatasetLimits Limits = new() { MaxBytes = 1 << 20, IdleTime = TimeSpan.FromSeconds(2), MaxRedirects = 5 };

    [Fact]
    public async Task The_address_that_was_checked_is_the_one_connected_to()
    {
        var network = new ScriptedNetwork { ["rebinding.example"] = [Public, "127.0.0.1"] };
        Assert.Equal("{}", await FetchAsync(network, "http://rebinding.example/x"));
        Assert.Equal([$"{Public}:80"], network.Connected);
        Assert.Equal(["rebinding.example"], network.Asked);
    }

    [Fact]
    public async Task Every_connection_of_one_client_is_checked_anew()
    {
        var network = new ScriptedNetwork { ["rebinding.example"] = [Public, "127.0.0.1", "10.0.0.7," + Public] };
        using var client = GuardedHttp.CreateClient(allowPrivate: false, network);
        var fetch = new FetchDataset(client, Limits);
        await (await fetch.OpenAsync("http://rebinding.example/", CancellationToken.None)).DisposeAsync();
        await AssertRefusedAsync(fetch, "http://rebinding.example/");
        await AssertRefusedAsync(fetch, "http://rebinding.example/");
        Assert.Equal([$"{Public}:80"], network.Connected);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("169.254.169.254")]
    [InlineData("fe80::1%2")]
    [InlineData("fd00:ec2::254")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("64:ff9b:1::1.1.1.1")]
    [InlineData("2002:a9fe:a9fe::1")]
    public async Task A_name_with_one_private_address_is_refused_wherever_it_stands(string address)
    {
        foreach (var answer in (string[])[address, Public + "," + address, address + "," + Public, OtherPublic + "," + address])
        {
            var network = new ScriptedNetwork { ["inside.example"] = [answer] };
            using var client = GuardedHttp.CreateClient(allowPrivate: false, network);
            await AssertRefusedAsync(new FetchDataset(client, Limits), "http://inside.example/");
            Assert.Empty(network.Connected);
        }
    }

    [Fact]
    public async Task A_redirect_to_a_rebinding_name_is_checked_where_it_connects()
    {
        var network = new ScriptedNetwork
        {
            ["public.example"] = [Public],
            ["rebinding.example"] = [Public, "169.254.169.254"],
        };
        network.Redirects["public.example"] = "http://rebinding.example/one";
        network.Redirects["rebinding.example"] = "http://rebinding.example/two";
        using var client = GuardedHttp.CreateClient(allowPrivate: false, network);
        await AssertRefusedAsync(new FetchDataset(client, Limits), "http://public.example/");
        Assert.Equal(["public.example", "rebinding.example", "rebinding.example"], network.Asked);
        Assert.Equal([$"{Public}:80", $"{Public}:80"], network.Connected);
    }

    [Fact]
    public async Task The_next_address_is_tried_when_one_cannot_be_reached()
    {
        var network = new ScriptedNetwork { ["two.example"] = [$"{OtherPublic},{Public}"] };
        network.Unreachable.Add(IPAddress.Parse(OtherPublic));
        Assert.Equal("{}", await FetchAsync(network, "http://two.example:8080/"));
        Assert.Equal([$"[{OtherPublic}]:8080", $"{Public}:8080"], network.Connected);
    }

    [Fact]
    public async Task A_public_address_that_is_written_as_IPv6_is_connected_to_as_what_it_is()
    {
        var network = new ScriptedNetwork { ["mapped.example"] = [$"::ffff:{Public}"] };
        Assert.Equal("{}", await FetchAsync(network, "http://mapped.example/"));
        Assert.Equal([$"{Public}:80"], network.Connected);
    }

    [Fact]
    public async Task A_name_without_addresses_is_one_that_is_not_known()
    {
        var network = new ScriptedNetwork { ["none.example"] = [""] };
        var failure = await Assert.ThrowsAsync<DatasetInterruptedException>(() => FetchAsync(network, "http://none.example/"));
        Assert.Contains("its name is not known", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_webhook_whose_name_changes_after_the_first_event_gets_no_second_one()
    {
        var network = new ScriptedNetwork { ["hook.example"] = [Public, "192.168.1.1"] };
        using var client = GuardedHttp.CreateClient(allowPrivate: false, network);
        var call = new WebhookCall(client, new WebhookSignature(new DerivedSecrets(new string('k', 40))), TimeProvider.System);
        var webhook = new Webhook { Id = "wh-1", AccountId = "acct-1", Url = "http://hook.example/", Events = [], CreatedAt = Some.Moment };
        var delivery = new WebhookDelivery { Id = "msg-1", AccountId = "acct-1", WebhookId = "wh-1", EventType = "webhook.test", Payload = "{}", CreatedAt = Some.Moment };
        Assert.True((await call.ExecuteAsync(webhook, delivery)).IsDelivered);
        var second = await call.ExecuteAsync(webhook, delivery);
        Assert.Contains("private or local", second.Problem, StringComparison.Ordinal);
        Assert.Equal([$"{Public}:80"], network.Connected);
    }

    private static async Task<string> FetchAsync(ScriptedNetwork network, string url)
    {
        using var client = GuardedHttp.CreateClient(allowPrivate: false, network);
        await using var body = await new FetchDataset(client, Limits).OpenAsync(url, CancellationToken.None);
        using var reader = new StreamReader(body);
        return await reader.ReadToEndAsync();
    }

    private static async Task AssertRefusedAsync(FetchDataset fetch, string url) =>
        Assert.Equal("dataset_url_refused", (await Assert.ThrowsAsync<DatasetException>(() => fetch.OpenAsync(url, CancellationToken.None))).Code);

    /// <summary>A network whose names answer one thing after another (addresses with commas between; the last again and again), and whose servers answer each connection once.</summary>
    private sealed class ScriptedNetwork : Dictionary<string, string[]>, IOutgoingNetwork
    {
        public Dictionary<string, string> Redirects { get; } = [];

        public HashSet<IPAddress> Unreachable { get; } = [];

        public List<string> Asked { get; } = [];

        public List<string> Connected { get; } = [];

        public Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellation)
        {
            var answers = this[host];
            var answer = answers[Math.Min(Asked.Count(name => name == host), answers.Length - 1)];
            Asked.Add(host);
            return Task.FromResult(answer.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(IPAddress.Parse).ToArray());
        }

        public Task<Stream> ConnectAsync(IPEndPoint target, CancellationToken cancellation)
        {
            Connected.Add(target.ToString());
            return Unreachable.Contains(target.Address)
                ? Task.FromException<Stream>(new SocketException((int)SocketError.HostUnreachable))
                : Task.FromResult<Stream>(new OneAnswer(request => Redirects.TryGetValue(HostOf(request), out var location)
                    ? $"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"));
        }

        private static string HostOf(string request) =>
            request.Split("\r\n").Single(line => line.StartsWith("Host: ", StringComparison.Ordinal))["Host: ".Length..].Split(':')[0];
    }

    /// <summary>The client's end of a connection whose server answers what was written up to then.</summary>
    private sealed class OneAnswer(Func<string, string> answer) : MemoryStream
    {
        private readonly MemoryStream _request = new();
        private MemoryStream? _answer;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _request.Write(buffer.Span);
            return default;
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.IsEmpty)
            {
                // The client waits for bytes before it gives a buffer.
                return 0;
            }

            _answer ??= new MemoryStream(Encoding.ASCII.GetBytes(answer(Encoding.ASCII.GetString(_request.ToArray()))));
            return await _answer.ReadAsync(buffer, cancellationToken);
        }
    }
}
