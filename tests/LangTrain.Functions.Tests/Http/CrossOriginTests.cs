using System.Net;
using LangTrain.Functions.Tests.Hosting;

namespace LangTrain.Functions.Tests.Http;

/// <summary>Pages of other origins, as a browser speaks for them; and methods that nobody knows.</summary>
public sealed class CrossOriginTests
{
    [Fact]
    public async Task A_page_may_ask_and_read_with_a_key_that_it_has()
    {
        await using var app = await TestApp.StartAsync();
        using var anybody = app.ClientWith(null);
        using var question = From(HttpMethod.Options, "chat/completions");
        question.Headers.Add("Access-Control-Request-Method", "POST");
        question.Headers.Add("Access-Control-Request-Headers", "authorization,content-type,x-stainless-lang");
        using var permission = await anybody.SendAsync(question);
        Assert.Equal(HttpStatusCode.NoContent, permission.StatusCode);
        Assert.Equal(["*", "POST", "authorization,content-type,x-stainless-lang"],
            ((string[])["Origin", "Methods", "Headers"]).Select(name => permission.Headers.GetValues("Access-Control-Allow-" + name).Single()));
        Assert.False(permission.Headers.Contains("Access-Control-Allow-Credentials"));

        using var request = From(HttpMethod.Get, "models");
        using var answer = await app.Client.SendAsync(request);
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        using var refusal = await anybody.SendAsync(From(HttpMethod.Get, "models"));
        Assert.Equal((HttpStatusCode.Unauthorized, "*"), (refusal.StatusCode, refusal.Headers.GetValues("Access-Control-Allow-Origin").Single()));
        using var plain = await app.Client.GetAsync("models");
        Assert.False(plain.Headers.Contains("Access-Control-Allow-Origin"));
        await anybody.SendAsync(From(HttpMethod.Options, "no/such/path")).ErrorAsync(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("PROPFIND")]
    [InlineData("TRACE")]
    [InlineData("QUERY")]
    public async Task A_method_of_another_protocol_is_405_with_what_the_path_knows(string method)
    {
        await using var app = await TestApp.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), "files");
        using var response = await app.Client.SendAsync(request);
        await Task.FromResult(response).ErrorAsync(HttpStatusCode.MethodNotAllowed);
        Assert.Equal(["GET", "POST"], response.Content.Headers.Allow.Order(StringComparer.Ordinal));
    }

    private static HttpRequestMessage From(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Origin", "https://page.example");
        return request;
    }
}
