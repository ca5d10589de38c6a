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
}
