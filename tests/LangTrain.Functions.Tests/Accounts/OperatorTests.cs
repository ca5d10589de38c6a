using System.Net;
using LangTrain.Core.Accounts;
using LangTrain.Functions.Tests.Hosting;

namespace LangTrain.Functions.Tests.Accounts;

public sealed class OperatorTests
{
    [Fact]
    public async Task An_operator_makes_an_account_whose_key_works_at_once()
    {
        await using var app = await TestApp.StartAsync();
        var made = await app.Client.PostAsync("accounts", new { name = "Ada", email = "ada@example.com", tier = "pro" }).JsonAsync();
        using var ada = app.ClientWith(made.GetProperty("api_key").Text("key"));
        var profile = await ada.GetAsync("user/profile").JsonAsync();
        Assert.Equal((made.Text("id"), "Ada", "pro"), (profile.Text("id"), profile.Text("name"), profile.Text("tier")));
        var listed = await app.Client.GetAsync("accounts?limit=1").JsonAsync();
        Assert.True(listed.GetProperty("has_more").GetBoolean());
        Assert.Equal(2, (await app.Client.GetAsync("accounts").JsonAsync()).GetProperty("data").GetArrayLength());
        Assert.False((await app.Client.GetAsync("accounts/" + made.Text("id")).JsonAsync()).TryGetProperty("api_key", out _));
    }

    [Fact]
    public async Task Nobody_else_sees_makes_or_changes_accounts()
    {
        await using var app = await TestApp.StartAsync();
        using var other = await app.OtherAccountAsync();
        await other.PostAsync("accounts", new { name = "Eve", tier = "enterprise" }).ErrorAsync(HttpStatusCode.Forbidden);
        await other.GetAsync("accounts").ErrorAsync(HttpStatusCode.Forbidden);
        foreach (var id in (string[])["user-other", BootstrapAccount.AccountId, "user-none"])
        {
            await other.GetAsync("accounts/" + id).ErrorAsync(HttpStatusCode.NotFound);
            await other.PatchAsync("accounts/" + id, System.Net.Http.Json.JsonContent.Create(new { @operator = true, tier = "enterprise" })).ErrorAsync(HttpStatusCode.NotFound);
            await other.PostAsync($"accounts/{id}/sign-in-link", new { }).ErrorAsync(HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task Limits_and_suspension_hold_from_the_next_look_at_the_account()
    {
        await using var app = await TestApp.StartAsync();
        var made = await app.Client.PostAsync("accounts", new { name = "Ada" }).JsonAsync();
        var path = "accounts/" + made.Text("id");
        await Patch(app, path, new { tier = "enterprise", requests_per_minute = 7, requests_per_day = 9 }).JsonAsync();
        using var ada = app.ClientWith(made.GetProperty("api_key").Text("key"));
        Assert.Equal(7, (await ada.GetAsync("limits").JsonAsync()).GetProperty("requests")[0].GetProperty("limit").GetInt32());
        await Patch(app, path, new { suspended = true }).JsonAsync();
        await Task.Delay(ApiKeyAuthenticator.Freshness + TimeSpan.FromMilliseconds(100));
        Assert.Equal("account_suspended", (await ada.GetAsync("user/profile").ErrorAsync(HttpStatusCode.Forbidden)).Text("code"));
        await Patch(app, path, new { suspended = false, requests_per_minute = (int?)null }).JsonAsync();
        await Task.Delay(ApiKeyAuthenticator.Freshness + TimeSpan.FromMilliseconds(100));
        Assert.Equal(10_000_000, (await ada.GetAsync("user/profile").JsonAsync()).GetProperty("rate_limits").GetProperty("requests_per_minute").GetInt64());
        Assert.Equal("own_account", (await Patch(app, "accounts/" + BootstrapAccount.AccountId, new { suspended = true }).ErrorAsync(HttpStatusCode.Conflict)).Text("code"));
    }

    [Fact]
    public async Task A_sign_in_link_signs_in_to_its_account()
    {
        await using var app = await TestApp.StartAsync();
        var made = await app.Client.PostAsync("accounts", new { name = "Ada" }).JsonAsync();
        var link = await app.Client.PostAsync($"accounts/{made.Text("id")}/sign-in-link", new { }).JsonAsync();
        using var anybody = app.ClientWith(null);
        var session = await anybody.PostAsync("dashboard-sessions", new { ticket = link.Text("url").Split("#ticket=")[1] }).JsonAsync();
        using var ada = app.ClientWith(session.Text("key"));
        Assert.Equal(made.Text("id"), (await ada.GetAsync("user/profile").JsonAsync()).Text("id"));
    }

    [Fact]
    public async Task The_same_request_under_one_idempotency_key_makes_one_account_and_tells_its_key_again_without_storing_it()
    {
        await using var app = await TestApp.StartAsync();
        var (first, second) = (await Create("k1", "Ada").JsonAsync(), await Create("k1", "Ada").JsonAsync());
        Assert.Equal(first.GetRawText(), second.GetRawText());
        using var ada = app.ClientWith(second.GetProperty("api_key").Text("key"));
        Assert.Equal(first.Text("id"), (await ada.GetAsync("user/profile").JsonAsync()).Text("id"));
        await Create("k1", "Eve").ErrorAsync(HttpStatusCode.UnprocessableEntity);
        var stored = (await app.Service<Core.Idempotency.IIdempotencyStore>().FindAsync(BootstrapAccount.AccountId, "k1"))!.Value;
        Assert.Contains(first.Text("id"), stored.Body, StringComparison.Ordinal);
        Assert.DoesNotContain(first.GetProperty("api_key").Text("key"), stored.ToString(), StringComparison.Ordinal);

        Task<HttpResponseMessage> Create(string key, string name) => app.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "accounts")
        {
            Content = System.Net.Http.Json.JsonContent.Create(new { name }), Headers = { { "Idempotency-Key", key } },
        });
    }

    private static Task<HttpResponseMessage> Patch(TestApp app, string path, object body) => app.Client.PatchAsync(path, System.Net.Http.Json.JsonContent.Create(body));
}
