using System.Text;
using System.Text.RegularExpressions;
using LangTrain.Flow.Tests.Clients;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LangTrain.Flow.Tests.Dashboard;

/// <summary>The dashboard as a person uses it, in a real browser.</summary>
[Collection(SharedHost.Collection)]
public sealed partial class DashboardTests(SharedHost shared)
{
    private static readonly string[] Pages = ["jobs", "files", "train", "models", "chat", "usage", "keys", "webhooks"];

    [Fact]
    public async Task A_file_becomes_a_model_that_chats_by_clicks_alone()
    {
        Assert.SkipWhen(Browser.Missing is not null, Browser.Missing ?? "");
        await using var browser = await Browser.StartAsync();
        var page = browser.Page;
        // Of jobs that this host has run for other tests there may be some already.
        await page.GotoAsync(Link());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Fine-tunes" })).ToBeVisibleAsync();
        Assert.DoesNotContain("ticket", page.Url, StringComparison.Ordinal);

        await page.GetByRole(AriaRole.Link, new() { Name = "Files" }).ClickAsync();
        var rows = string.Join('\n', Enumerable.Range(0, 24).Select(i =>
            $$"""{"messages":[{"role":"user","content":"What is the capital of country number {{i}}?"},{"role":"assistant","content":"City number {{i}}."}]}"""));
        await page.GetByLabel("File", new() { Exact = true }).SetInputFilesAsync(new FilePayload { Name = "capitals.jsonl", MimeType = "application/jsonl", Buffer = Encoding.UTF8.GetBytes(rows) });
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload" }).ClickAsync();
        await Expect(page.GetByText("24 good rows of format chat")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Row).Filter(new() { HasText = "capitals.jsonl" }).GetByRole(AriaRole.Link, new() { Name = "Fine-tune" }).ClickAsync();
        await page.GetByLabel("Suffix of the model's id").FillAsync("clicks");
        await page.GetByRole(AriaRole.Button, new() { Name = "Look at what is learned" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "What will be learned" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Estimate" }).ClickAsync();
        await Expect(page.GetByText("Parameters that learn")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();

        // Live, without a reload: status, steps and the curve.
        var patience = new LocatorAssertionsToHaveTextOptions { Timeout = 120_000 };
        await Expect(page.Locator("main .status").First).ToHaveTextAsync("completed", patience);
        await Expect(page.Locator("[data-fact=step]")).ToHaveTextAsync("18 / 18");
        Assert.True((await page.Locator(".chart path.train").GetAttributeAsync("d"))!.Split('L').Length >= 18);
        await page.Locator(".chart").HoverAsync();
        await Expect(page.Locator(".chart text").Filter(new() { HasTextRegex = StepReading() })).ToBeVisibleAsync();
        Assert.Empty(await browser.BarriersAsync());

        await page.Locator("main").GetByRole(AriaRole.Link, new() { Name = "Chat" }).ClickAsync();
        await Expect(page.GetByLabel("Model")).ToHaveValueAsync(ModelId());
        await page.GetByLabel("Message").FillAsync("What is the capital of country number 3?");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
        await Expect(page.Locator(".turn:not(.user)")).Not.ToBeEmptyAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Send" })).ToBeVisibleAsync();
        Assert.Empty(browser.Problems);
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 400)]
    public async Task Every_page_shows_itself_without_an_error_a_barrier_or_a_sideways_scroll(ColorScheme scheme, int width)
    {
        Assert.SkipWhen(Browser.Missing is not null, Browser.Missing ?? "");
        await using var browser = await Browser.StartAsync();
        var page = browser.Page;
        await page.EmulateMediaAsync(new() { ColorScheme = scheme });
        await page.SetViewportSizeAsync(width, 900);
        await page.GotoAsync(new Uri(shared.Host.BaseUrl, "dashboard/").AbsoluteUri);
        await page.GetByLabel("API key").FillAsync("lt-of-nobody");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The API key is not valid");
        Assert.Empty(await browser.BarriersAsync());
        var refused = browser.Problems.Count; // Chromium itself notes the 401.

        await page.GetByLabel("API key").FillAsync(shared.Host.ApiKey);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.Locator("#who")).Not.ToBeEmptyAsync();
        foreach (var name in Pages)
        {
            await page.EvaluateAsync("name => { location.hash = '#/' + name; }", name);
            await Expect(page.Locator($"nav a[href='#/{name}'][aria-current=page], nav:not(:has(a[href='#/{name}']))")).ToHaveCountAsync(1);
            await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
            await Expect(page.Locator("main h1").First).ToBeVisibleAsync();
            Assert.Empty((await browser.BarriersAsync()).Select(barrier => $"{name}: {barrier}"));
            Assert.False(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth > innerWidth"), $"{name} is wider than {width}");
        }

        Assert.Empty(browser.Problems.Skip(refused));
    }

    [GeneratedRegex(@"^step \d+: train ")]
    private static partial Regex StepReading();

    [GeneratedRegex(@"^ft:langtrain/tiny-base:.*:clicks:")]
    private static partial Regex ModelId();

    [GeneratedRegex(@"http\S+#ticket=\S+")]
    private static partial Regex TicketLink();

    private string Link() => TicketLink().Match(shared.Host.Output).Value;
}
