using System.Collections.Concurrent;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace LangTrain.Flow.Tests.Dashboard;

/// <summary>A page of the Chromium that is on this machine, with everything that went wrong in it.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private static readonly string? Program = new[] { "chromium", "chromium-browser", "google-chrome" }
        .SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly ConcurrentQueue<string> _problems = new();

    private Browser(IPlaywright playwright, IBrowser browser, IPage page)
    {
        (_playwright, _browser, Page) = (playwright, browser, page);
        page.SetDefaultTimeout(30_000);
        page.PageError += (_, text) => _problems.Enqueue(text);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                _problems.Enqueue($"{message.Text} ({message.Location})");
            }
        };
    }

    /// <summary>Why there is no browser, or null.</summary>
    public static string? Missing => Program is null ? "no Chromium is on the PATH" : null;

    public IPage Page { get; }

    /// <summary>Errors of scripts and requests so far.</summary>
    public IReadOnlyList<string> Problems => [.. _problems];

    public static async Task<Browser> StartAsync()
    {
        var playwright = await Playwright.CreateAsync();
        // The sandbox needs rights that containers do not give; what is opened is our own.
        var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Program, ChromiumSandbox = false });
        return new Browser(playwright, browser, await browser.NewPageAsync(new BrowserNewPageOptions { ViewportSize = new ViewportSize { Width = 1280, Height = 900 } }));
    }

    /// <summary>Rules of accessibility (WCAG 2, levels A and AA) that the page breaks, each with where.</summary>
    public async Task<IReadOnlyList<string>> BarriersAsync()
    {
        var found = await Page.RunAxe(new Deque.AxeCore.Commons.AxeRunOptions
        {
            RunOnly = new Deque.AxeCore.Commons.RunOnlyOptions { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] },
        });
        return [.. found.Violations.SelectMany(rule => rule.Nodes.Select(node => $"{rule.Id}: {node.Html}"))];
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
