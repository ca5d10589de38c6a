using System.Net;
using LangTrain.Core.Accounts;
using LangTrain.Functions.Tests.Hosting;

namespace LangTrain.Functions.Tests.Accounts;

public sealed class DashboardTests
{
    [Fact]
    public async Task Every_file_that_the_page_names_is_there_for_anybody()
    {
        await using var app = await TestApp.StartAsync();
        using var client = app.ClientWith(null);
        using var page = await client.GetAsync("dashboard");
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        Assert.Contains("script-src 'self'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.EndsWith("/dashboard/", page.RequestMessage!.RequestUri!.AbsolutePath, StringComparison.Ordinal);
        foreach (var file in (string[])["main.js", "api.js", "dom.js", "chart.js", "jobs.js", "models.js", "chat.js", "keys.js", "style.css", "icon.svg"])
        {
            Assert.NotEmpty(await client.GetStringAsync("dashboard/" + file));
        }

        await client.GetAsync("dashboard/../secrets.json").ErrorAsync(HttpStatusCode.NotFound);
        await client.GetAsync("dashboard/none.js").ErrorAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Sign_in_link_works_once_and_the_ticket_opens_nothing_else()
    {
        await using var app = await TestApp.StartAsync();
        var ticket = await app.Service<DashboardSignIn>().CreateTicketAsync(BootstrapAccount.AccountId);
        using var direct = app.ClientWith(ticket);
        await direct.GetAsync("user/profile").ErrorAsync(HttpStatusCode.Unauthorized);
        using var anybody = app.ClientWith(null);
        var made = await anybody.PostAsync("dashboard-sessions", new { ticket }).JsonAsync();
        await anybody.PostAsync("dashboard-sessions", new { ticket }).ErrorAsync(HttpStatusCode.Unauthorized);
        await anybody.PostAsync("dashboard-sessions", new { ticket = TestApp.Key }).ErrorAsync(HttpStatusCode.Unauthorized);
        using var client = app.ClientWith(made.Text("key"));
        Assert.DoesNotContain("tkt-", (await client.GetAsync("api-keys").JsonAsync()).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_person_of_the_directory_gets_one_account_and_nobody_else_gets_in()
    {
        await using var app = await TestApp.StartAsync(settings: new LangTrainSettings { EntraTenantId = Tenant });
        var first = await EnterAsync(app, Principal()).JsonAsync();
        var second = await EnterAsync(app, Principal()).JsonAsync();
        Assert.NotEqual(first.Text("key"), second.Text("key"));
        using var client = app.ClientWith(first.Text("key"));
        var profile = await client.GetAsync("user/profile").JsonAsync();
        Assert.Equal(("Ada", "free"), (profile.Text("name"), profile.Text("tier")));
        using var again = app.ClientWith(second.Text("key"));
        Assert.Equal(profile.Text("id"), (await again.GetAsync("user/profile").JsonAsync()).Text("id"));

        await EnterAsync(app, null).ErrorAsync(HttpStatusCode.Unauthorized);
        await EnterAsync(app, "not base 64").ErrorAsync(HttpStatusCode.Unauthorized);
        await EnterAsync(app, Principal(type: "github")).ErrorAsync(HttpStatusCode.Unauthorized);
        await EnterAsync(app, Principal(tenant: "00000000-0000-0000-0000-000000000000")).ErrorAsync(HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    public async Task Another_site_cannot_make_a_browser_sign_in(string header, string value)
    {
        await using var app = await TestApp.StartAsync(settings: new LangTrainSettings { EntraTenantId = Tenant });
        Assert.Equal("cross_site_request", (await EnterAsync(app, Principal(), header, value).ErrorAsync(HttpStatusCode.Forbidden)).Text("code"));
    }

    [Fact]
    public async Task The_header_is_not_believed_where_the_app_does_not_sit_behind_the_feature()
    {
        await using var app = await TestApp.StartAsync();
        await EnterAsync(app, Principal()).ErrorAsync(HttpStatusCode.NotFound);
        using var anybody = app.ClientWith(null);
        Assert.Equal(2, (await anybody.GetAsync("dashboard-sessions").JsonAsync()).GetProperty("ways").GetArrayLength());
    }

    private const string Tenant = "11111111-2222-3333-4444-555555555555";

    private static string Principal(string type = "aad", string tenant = Tenant) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(
        $$"""{"auth_typ":"{{type}}","name_typ":"name","role_typ":"roles","claims":[{"typ":"http://schemas.microsoft.com/identity/claims/tenantid","val":"{{tenant}}"},{"typ":"http://schemas.microsoft.com/identity/claims/objectidentifier","val":"aaaaaaaa-2222-3333-4444-555555555555"},{"typ":"name","val":"Ada"}]}"""));

    private static Task<HttpResponseMessage> EnterAsync(TestApp app, string? principal, string? header = null, string? value = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(app.BaseAddress, "dashboard-sessions/entra"));
        if (principal is not null)
        {
            request.Headers.TryAddWithoutValidation("X-MS-CLIENT-PRINCIPAL", principal);
        }

        if (header is not null)
        {
            request.Headers.TryAddWithoutValidation(header, value);
        }

        return app.ClientWith(null).SendAsync(request);
    }
}
