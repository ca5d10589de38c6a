using System.Net;
using LangTrain.Core.Accounts;
using LangTrain.Core.Usage;
using LangTrain.Functions.Middleware;
using LangTrain.Functions.Tests.Hosting;

namespace LangTrain.Functions.Tests.Accounts;

public sealed class AccountTests
{
    [Fact]
    public async Task Profile_names_the_account_and_masks_the_key()
    {
        await using var app = await TestApp.StartAsync();
        var profile = await app.Client.GetAsync("user/profile").JsonAsync();
        Assert.Equal(("First user", "enterprise"), (profile.Text("name"), profile.Text("tier")));
        Assert.DoesNotContain(TestApp.Key, profile.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_is_shown_once_works_and_stops_when_revoked()
    {
        await using var app = await TestApp.StartAsync();
        var made = await app.Client.PostAsync("api-keys", new { name = "mine", expires_in_days = 3 }).JsonAsync();
        var secret = made.Text("key");
        using var client = app.ClientWith(secret);
        await client.GetAsync("user/profile").JsonAsync();
        var listed = await app.Client.GetAsync("api-keys").JsonAsync();
        Assert.Equal(2, listed.GetProperty("data").GetArrayLength());
        Assert.DoesNotContain(secret, listed.GetRawText(), StringComparison.Ordinal);

        Assert.True((await app.Client.DeleteAsync("api-keys/" + made.Text("id")).JsonAsync()).GetProperty("deleted").GetBoolean());
        await Task.Delay(ApiKeyAuthenticator.Freshness + TimeSpan.FromMilliseconds(100));
        await client.GetAsync("user/profile").ErrorAsync(HttpStatusCode.Unauthorized);
        await app.Client.DeleteAsync("api-keys/" + made.Text("id")).ErrorAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Key_cannot_make_a_stronger_one_and_not_touch_another_accounts()
    {
        await using var app = await TestApp.StartAsync();
        var made = await app.Client.PostAsync("api-keys", new { scopes = new[] { "read" } }).JsonAsync();
        using var reader = app.ClientWith(made.Text("key"));
        await reader.PostAsync("api-keys", new { scopes = new[] { "admin" } }).ErrorAsync(HttpStatusCode.Forbidden);
        using var other = await app.OtherAccountAsync();
        await other.DeleteAsync("api-keys/" + made.Text("id")).ErrorAsync(HttpStatusCode.NotFound);
        await other.PostAsync($"api-keys/{made.Text("id")}/rotate", new { }).ErrorAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Rotation_gives_a_new_key_and_the_old_one_ends_after_its_grace()
    {
        await using var app = await TestApp.StartAsync();
        var made = await app.Client.PostAsync("api-keys", new { scopes = new[] { "read" } }).JsonAsync();
        var rotated = await app.Client.PostAsync($"api-keys/{made.Text("id")}/rotate", new { grace_seconds = 0 }).JsonAsync();
        using var old = app.ClientWith(made.Text("key"));
        using var young = app.ClientWith(rotated.Text("key"));
        await old.GetAsync("user/profile").ErrorAsync(HttpStatusCode.Unauthorized);
        await young.GetAsync("user/profile").JsonAsync();
        await app.Client.PostAsync($"api-keys/{rotated.Text("id")}/rotate", null).JsonAsync();
        await young.GetAsync("user/profile").JsonAsync();
    }

    [Fact]
    public async Task Limits_are_told_on_every_answer_and_429_says_when_to_come_back()
    {
        await using var app = await TestApp.StartAsync(tier: "free");
        HttpResponseMessage response;
        var passed = 0;
        while ((response = await app.Client.GetAsync("models/none")).StatusCode == HttpStatusCode.NotFound)
        {
            passed++;
            Assert.Equal("60", response.Headers.GetValues("x-ratelimit-limit-requests").Single());
            Assert.True(passed <= 120, "the limit never came");
            response.Dispose();
        }

        // A minute may have ended on the way; then the count began anew.
        Assert.InRange(passed, 60, 119);
        using (response)
        {
            Assert.InRange(response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
            Assert.Equal("0", response.Headers.GetValues("x-ratelimit-remaining-requests").Single());
            Assert.Equal("rate_limit_exceeded", (await Task.FromResult(response).ErrorAsync(HttpStatusCode.TooManyRequests)).Text("code"));
        }
    }

    [Fact]
    public async Task Usage_is_summed_by_day_key_and_model()
    {
        await using var app = await TestApp.StartAsync();
        await app.Client.PostAsync("completions", new { model = "langtrain/tiny", prompt = "abcd" }).JsonAsync();
        await app.Service<UsageRecorder>().FlushAsync();
        await app.Service<UsageRecorder>().FlushAsync();
        var usage = await app.Client.GetAsync("usage?group_by=model").JsonAsync();
        Assert.Equal(4, usage.GetProperty("total").GetProperty("input_tokens").GetInt32());
        var model = Assert.Single(usage.GetProperty("data").EnumerateArray(), group => group.Text("group") == "langtrain/tiny").GetProperty("usage");
        Assert.Equal((1, 4), (model.GetProperty("requests").GetInt32(), model.GetProperty("input_tokens").GetInt32()));
        Assert.Equal(1, usage.GetProperty("total").GetProperty("requests").GetInt32());
        await app.Client.GetAsync("usage?group_by=colour&from=never").ErrorAsync(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData(0.2, "1s")]
    [InlineData(59.5, "1m0s")]
    [InlineData(3725, "1h2m5s")]
    public void Reset_times_are_written_as_OpenAI_does(double seconds, string text) => Assert.Equal(text, LimitsMiddleware.Duration(TimeSpan.FromSeconds(seconds)));
}
