using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using LangTrain.Core.Datasets;

namespace LangTrain.Core.Tests.Datasets;

public sealed class FetchDatasetTests
{
    private static readonly DatasetLimits Limits = new() { MaxBytes = 1 << 20, IdleTime = TimeSpan.FromSeconds(2), MaxRedirects = 5 };

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.1.2.3")]
    [InlineData("100.64.0.1")]
    [InlineData("127.255.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.0.1")]
    [InlineData("168.63.129.16")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::1")]
    [InlineData("::")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::127.0.0.1")]
    [InlineData("64:ff9b::10.0.0.1")]
    [InlineData("64:ff9b:1::10.0.0.1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2001:0:4136:e378:8000:63bf:3fff:fdd2")]
    [InlineData("fe80::1")]
    [InlineData("fc00::1")]
    [InlineData("fd12::1")]
    [InlineData("ff02::1")]
    [InlineData("2001:db8::1")]
    public void Addresses_of_the_inside_are_not_public(string address) => Assert.False(PublicAddress.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("100.128.0.1")]
    [InlineData("172.32.0.1")]
    [InlineData("2606:4700::1111")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("64:ff9b::8.8.8.8")]
    public void Addresses_of_the_internet_are_public(string address) => Assert.True(PublicAddress.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("ftp://example.com/x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("//example.com/x")]
    [InlineData("x.jsonl")]
    [InlineData("http://user@example.com/x")]
    [InlineData("https://:secret@example.com/x")]
    [InlineData("https://example.com:22/x")]
    [InlineData("http://example.com:0/x")]
    public void Addresses_that_are_refused_at_sight(string url) => Assert.NotNull(FetchDataset.Problem(url));

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("2130706433")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("017700000001")]
    public async Task No_connection_is_made_to_a_private_address_however_it_is_written(string host)
    {
        using var server = new Server(_ => Answer("{}"));
        using var client = GuardedHttp.CreateClient(allowPrivate: false);
        var refused = await Assert.ThrowsAsync<DatasetException>(() => new FetchDataset(client, Limits).OpenAsync($"http://{host}:{server.Port}/", CancellationToken.None));
        Assert.Equal("dataset_url_refused", refused.Code);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task A_public_server_cannot_redirect_to_a_private_one()
    {
        using var server = new Server(_ => Answer("{}"));
        using var guarded = GuardedHttp.CreateClient(allowPrivate: false);
        using var client = new HttpClient(new PublicServer(guarded, $"http://127.0.0.1:{server.Port}/secret"));
        var refused = await Assert.ThrowsAsync<DatasetException>(() => new FetchDataset(client, Limits).OpenAsync("http://public.example/", CancellationToken.None));
        Assert.Equal("dataset_url_refused", refused.Code);
        Assert.Equal(0, server.Connections);
    }

    [Theory]
    [InlineData("file:///etc/passwd", "dataset_url_refused")]
    [InlineData("http://u:p@public.example/", "dataset_url_refused")]
    [InlineData("http://public.example:25/", "dataset_url_refused")]
    [InlineData("http://[bad", "dataset_unreachable")]
    [InlineData("/again", "dataset_unreachable")]
    public async Task A_redirect_is_looked_at_like_the_first_address_and_followed_only_so_often(string location, string code)
    {
        using var guarded = GuardedHttp.CreateClient(allowPrivate: false);
        using var client = new HttpClient(new PublicServer(guarded, location));
        Assert.Equal(code, (await Assert.ThrowsAsync<DatasetException>(() => new FetchDataset(client, Limits).OpenAsync("http://public.example/", CancellationToken.None))).Code);
    }

    [Fact]
    public async Task A_body_that_announces_or_sends_too_much_is_refused()
    {
        await AssertRefusedAsync("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n", "dataset_too_large");
        await AssertRefusedAsync("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + new string('x', 1_200_000), "dataset_too_large");
        await AssertRefusedAsync("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}", "dataset_invalid");
        await AssertRefusedAsync("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 2\r\n\r\n{}", "dataset_invalid");
        await AssertRefusedAsync("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", "dataset_invalid");
        await AssertRefusedAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "dataset_unreachable");
    }

    [Fact]
    public async Task A_server_that_falls_silent_is_given_up()
    {
        using var server = new Server(_ => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", keepOpen: true);
        using var client = GuardedHttp.CreateClient(allowPrivate: true);
        await using var body = await new FetchDataset(client, Limits).OpenAsync($"http://127.0.0.1:{server.Port}/", CancellationToken.None);
        await Assert.ThrowsAsync<DatasetInterruptedException>(() => body.CopyToAsync(Stream.Null));
    }

    [Fact]
    public async Task A_small_gzip_cannot_become_an_endless_file()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            var line = Encoding.UTF8.GetBytes("{\"text\":\"" + new string('a', 1000) + "\"}\n");
            for (var i = 0; i < 100_000; i++)
            {
                gzip.Write(line);
            }
        }

        Assert.InRange(packed.Length, 1, 1 << 20);
        packed.Position = 0;
        var before = GC.GetTotalAllocatedBytes();
        var refused = await Assert.ThrowsAsync<DatasetException>(() =>
            new DatasetReader(Limits, new DatasetOptions()).ReadAsync(packed, training: null, evaluation: null, other: null, CancellationToken.None));
        Assert.Equal("dataset_too_large", refused.Code);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 60_000_000);
    }

    private static async Task AssertRefusedAsync(string answer, string code)
    {
        using var server = new Server(_ => answer);
        using var client = GuardedHttp.CreateClient(allowPrivate: true);
        var refused = await Assert.ThrowsAsync<DatasetException>(async () =>
        {
            await using var body = await new FetchDataset(client, Limits).OpenAsync($"http://127.0.0.1:{server.Port}/", CancellationToken.None);
            await body.CopyToAsync(Stream.Null);
        });
        Assert.Equal(code, refused.Code);
    }

    private static string Answer(string body) => $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    /// <summary>Stands for a server of the Internet that answers every request with a redirect; all other hosts are asked for real.</summary>
    private sealed class PublicServer(HttpClient others, string location) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.RequestUri!.Host != "public.example")
            {
                return others.SendAsync(new HttpRequestMessage(HttpMethod.Get, request.RequestUri), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            }

            var response = new HttpResponseMessage(HttpStatusCode.Found);
            response.Headers.TryAddWithoutValidation("Location", location);
            return Task.FromResult(response);
        }
    }

    /// <summary>Answers each connection's first request with the given bytes. On a port of the system's choice, on both loopback addresses.</summary>
    private sealed class Server : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.IPv6Any, 0);
        private readonly CancellationTokenSource _stop = new();
        private int _connections;

        public Server(Func<string, string> answer, bool keepOpen = false)
        {
            _listener.Server.DualMode = true;
            _listener.Start();
            _ = Task.Run(async () =>
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                    Interlocked.Increment(ref _connections);
                    var stream = client.GetStream();
                    var buffer = new byte[8192];
                    var read = await stream.ReadAsync(buffer, _stop.Token);
                    try
                    {
                        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer(Encoding.ASCII.GetString(buffer, 0, read))), _stop.Token);
                        if (keepOpen)
                        {
                            await Task.Delay(Timeout.Infinite, _stop.Token);
                        }
                    }
                    catch (IOException)
                    {
                        // The other side has heard enough.
                    }
                }
            });
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public int Connections => _connections;

        public void Dispose()
        {
            _stop.Cancel();
            _listener.Stop();
            _stop.Dispose();
        }
    }
}
