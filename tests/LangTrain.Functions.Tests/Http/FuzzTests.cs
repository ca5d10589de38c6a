using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using LangTrain.Functions.Http;
using LangTrain.Functions.Tests.Hosting;

namespace LangTrain.Functions.Tests.Http;

/// <summary>Every route under hostile input: an answer that is none of the server's faults, with the envelope and a request id wherever it is an error.</summary>
public sealed class FuzzTests
{
    private static readonly string[] Bodies =
    [
        "", " ", "{", "null", "[]", "\"x\"", "{}", "{\"a\":1,\"a\":2}", "{\"model\":\"\\ud800\"}", "{\"model\":\"a\\u0000\"}", "{\"a\":1e999}",
        "{\"name\":" + "12345678901234567890123456789012345678901234567890" + "}", "\uFEFF{}", "{\"a\":" + "[[[[[[[[[[" + "]]]]]]]]]]" + "}",
        "{\"__proto__\":{},\"constructor\":null,\"$type\":\"System.Object\"}", "{\"model\":{\"$ref\":\"#\"}}", "{\"messages\":{}}", "{\"messages\":[null]}",
        "{\"messages\":[{\"role\":[],\"content\":{}}]}", "{\"model_id\":\"\",\"dataset\":[]}", "{\"dataset\":{\"url\":\"http://\",\"file_id\":\"..\"}}",
        "{\"scopes\":[1]}", "{\"expires_at\":\"-1\"}", "{\"expires_at\":\"99999999999999999\"}", "{\"url\":\"https://\\u202e.example\"}", "{\"ids\":[-1,1e300,null]}",
    ];

    private static readonly string[] Ids =
    [
        "x", "..", "%2e%2e", "a%2Fb", "%00", "%0d%0a", "%ff", "%F0%9F%98%80", "'%20or%201%20eq%201", "#", "%23", "%3F", "\\", "a b", "*", "{id}", "null", "-1",
        "ftjob-", "file-" + new string('0', 26), new string('a', 2000),
    ];

    private static readonly string[] Queries =
    [
        "", "?limit=0", "?limit=-1&limit=5", "?limit=99999999999999999999", "?after=" + "%00", "?after=" + "a'%20or%20'1", "?order=sideways", "?status=%F0%9F%98%80",
        "?from=0000-00-00&to=9999-99-99", "?from=99999999999&group_by=", "?=", "?&&&", "?limit", "?token=x&token=y", "?%", "?a[]=1", "?purpose=" + "%27",
    ];

    private static readonly string?[] ContentTypes =
        ["application/json", "application/json; charset=utf-16", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x", "a", "application/xml", null];

    [Fact]
    public async Task Any_body_at_any_route_gets_a_clear_answer()
    {
        await using var app = await TestApp.StartAsync();
        await EachAsync(app, (method, route) => method is "GET" or "HEAD" ? [] :
            Bodies.SelectMany((body, i) => (string?[])["application/json", ContentTypes[i % ContentTypes.Length]], (body, type) => (Path(route, "x"), body, type)));
    }

    [Fact]
    public async Task Any_id_and_query_at_any_route_gets_a_clear_answer()
    {
        await using var app = await TestApp.StartAsync();
        await EachAsync(app, (method, route) =>
        [
            .. route.Contains('{') ? Ids.Select(id => (Path(route, id), "{}", (string?)"application/json")) : [],
            .. method == "GET" ? Queries.Select(query => (Path(route, "x") + query, "", (string?)null)) : [],
        ]);
    }

    [Fact]
    public async Task Every_method_that_a_route_does_not_know_is_405_with_allow()
    {
        await using var app = await TestApp.StartAsync();
        foreach (var (route, _) in RouteCatalog.All.Where(entry => !entry.Route.Contains("{*", StringComparison.Ordinal)))
        {
            foreach (var method in (string[])["GET", "POST", "PUT", "PATCH", "DELETE"])
            {
                // A literal segment where another route has an id is known by that route, too.
                var known = RouteCatalog.MethodsOf(Path(route, "x"));
                if (known.Contains(method))
                {
                    continue;
                }

                using var response = await app.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), Path(route, "x")));
                Assert.True(response.StatusCode == HttpStatusCode.MethodNotAllowed, $"{method} {route}: {(int)response.StatusCode}");
                Assert.Equal(known.Order(StringComparer.Ordinal), response.Content.Headers.Allow.Order(StringComparer.Ordinal));
            }
        }
    }

    [Fact]
    public async Task A_body_of_50_MB_is_refused_in_bounded_memory()
    {
        await using var app = await TestApp.StartAsync();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        foreach (var route in (string[])["completions", "fine-tunes", "api-keys", "webhooks", "tokenize"])
        {
            using var content = new StreamContent(new EndlessJson(50_000_000));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var request = new HttpRequestMessage(HttpMethod.Post, route) { Content = content };
            request.Headers.TransferEncodingChunked = true;
            using var response = await app.Client.SendAsync(request);
            await Task.FromResult(response).ErrorAsync(HttpStatusCode.RequestEntityTooLarge);
        }

        // Of each the first 8 MB are held, in blocks that double.
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 5 * 40_000_000L);
    }

    private static async Task EachAsync(TestApp app, Func<string, string, IEnumerable<(string Path, string Body, string? Type)>> cases)
    {
        var wrong = new List<string>();
        foreach (var (route, methods) in RouteCatalog.All.Where(entry => !entry.Route.StartsWith("dashboard/", StringComparison.Ordinal)))
        {
            foreach (var method in methods)
            {
                foreach (var (path, body, type) in cases(method, route))
                {
                    // Some texts are no address at all for the client; the raw form of the others goes out as it stands.
                    if (!Uri.TryCreate(app.BaseAddress.AbsoluteUri + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }, out var uri))
                    {
                        continue;
                    }

                    using var request = new HttpRequestMessage(new HttpMethod(method), uri);
                    if (method is not ("GET" or "HEAD"))
                    {
                        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
                        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
                    }

                    using var response = await app.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                    if (await ProblemAsync(response) is { } problem)
                    {
                        wrong.Add($"{method} {path} {type} {body}: {problem}");
                    }
                }
            }
        }

        Assert.Empty(wrong.Take(20));
    }

    private static async Task<string?> ProblemAsync(HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        if (status is 400 or 404 && response.Content.Headers.ContentLength is 0 && !response.Headers.Contains("x-request-id"))
        {
            // Refused by the web server before any function: no valid HTTP.
            return null;
        }

        if (!response.Headers.Contains("x-request-id"))
        {
            return $"{status} without x-request-id";
        }

        if (status < 400)
        {
            return null;
        }

        var text = await response.Content.ReadAsStringAsync();
        if (status is 500 or 501 or 502)
        {
            return $"{status}: {text}";
        }

        try
        {
            var error = JsonElement.Parse(text).GetProperty("error");
            return ((string[])["message", "type", "param", "code"]).All(field => error.TryGetProperty(field, out _)) ? null : $"{status} without all fields: {text}";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException)
        {
            return $"{status} without the envelope: {text}";
        }
    }

    private static string Path(string route, string id) => string.Join('/', route.Split('/').Select(part => part.StartsWith('{') ? id : part));

    /// <summary>A JSON object with one text that goes on to a given length, made as it is read.</summary>
    private sealed class EndlessJson(long length) : Stream
    {
        private long _given;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => _given; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var count = (int)Math.Min(buffer.Length, length - _given);
            buffer[..count].Fill((byte)'a');
            if (_given == 0 && count > 6)
            {
                "{\"a\":\""u8.CopyTo(buffer);
            }

            _given += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
