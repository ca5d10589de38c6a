using System.Net;
using System.Text;
using LangTrain.Core.Accounts;
using LangTrain.Functions.Http;
using LangTrain.Functions.Tests.Hosting;

namespace LangTrain.Functions.Tests.Http;

/// <summary>Every route asks for its scope: a key without it gets 403, one with it something else.</summary>
public sealed class ScopeTests
{
    // Any key of the account.
    private static readonly string[] AnyScope = ["GET user/profile", "GET limits", "GET models", "GET models/{*modelId}"];

    private static readonly string[] NoKey =
        ["GET health", "GET openapi.json", "GET docs", "GET dashboard/{*path}", "POST dashboard-sessions", "GET dashboard-sessions",
         "POST dashboard-sessions/entra", "OPTIONS hubs/jobs/events", "POST hubs/jobs/events"];

    [Fact]
    public async Task Every_route_takes_exactly_the_keys_that_have_its_scope()
    {
        await using var app = await TestApp.StartAsync();
        var wrong = new List<string>();
        foreach (var scope in Scopes.All)
        {
            var made = await app.Client.PostAsync("api-keys", new { scopes = new[] { scope } }).JsonAsync();
            using var client = app.ClientWith(made.Text("key"));
            foreach (var (route, methods) in RouteCatalog.All)
            {
                foreach (var method in methods.Where(method => !NoKey.Contains($"{method} {route}")))
                {
                    var allowed = Needed(method, route) is not { } needed || Scopes.Allow([scope], needed);
                    var status = await StatusAsync(client, method, route);
                    if (allowed == (status == HttpStatusCode.Forbidden) || status == HttpStatusCode.Unauthorized)
                    {
                        wrong.Add($"{method} {route} with '{scope}': {(int)status}, though the scope it needs is {Needed(method, route) ?? "none"}");
                    }
                }
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task Every_route_but_the_open_ones_needs_a_key()
    {
        await using var app = await TestApp.StartAsync();
        using var client = app.ClientWith(null);
        foreach (var (route, methods) in RouteCatalog.All)
        {
            foreach (var method in methods.Where(method => !NoKey.Contains($"{method} {route}")))
            {
                Assert.Equal((route, HttpStatusCode.Unauthorized), (route, await StatusAsync(client, method, route)));
            }
        }
    }

    /// <summary>Scope of a call: who adds a route decides here, too, what it needs.</summary>
    private static string? Needed(string method, string route)
    {
        var first = route.Split('/')[0];
        return $"{method} {route}" switch
        {
            var call when AnyScope.Contains(call) => null,
            _ when first is "api-keys" or "accounts" => Scopes.Admin,
            _ when first == "webhooks" && method != "GET" => Scopes.Admin,
            _ when first is "completions" or "chat" or "batch" or "batches" or "tokenize" or "detokenize" or "embeddings" => Scopes.Infer,
            "POST fine-tunes/{jobId}/stream/negotiate" => Scopes.Read,
            "POST files/{fileId}/validate" or "POST fine-tunes/preview" => Scopes.Read,
            _ => method is "GET" or "HEAD" ? Scopes.Read : Scopes.Train,
        };
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string method, string route)
    {
        var path = string.Join('/', route.Split('/').Select(part => part.StartsWith('{') ? "none-such" : part));
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method is "POST" or "PATCH" or "PUT")
        {
            request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
        }

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return response.StatusCode;
    }
}
