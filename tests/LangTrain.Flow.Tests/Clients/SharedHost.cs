namespace LangTrain.Flow.Tests.Clients;

/// <summary>One LocalHost for all tests that only ask it things, and the official clients pointed at it.</summary>
/// <remarks>
/// Test classes join with <c>[Collection(SharedHost.Collection)]</c> and run one after the other. None may stop the host or rely on what
/// another left there.
/// </remarks>
public sealed class SharedHost : IAsyncLifetime
{
    public const string Collection = "One host for the official clients";

    private readonly string _folder = LocalHostProcess.NewDataFolder();
    private LocalHostProcess? _host;

    internal LocalHostProcess Host => _host!;

    public async ValueTask InitializeAsync() => _host = await LocalHostProcess.StartAsync(_folder, LocalHostProcess.FreeUrl());

    /// <summary>Runs the tests of a script below this folder with npm's <c>openai</c>, and fails with their report if one fails.</summary>
    /// <param name="script">Name of a <c>.test.mjs</c> file for Node's own test runner.</param>
    public async Task RunNodeTestsAsync(string script)
    {
        Assert.SkipWhen(NodeProject.Missing is not null, NodeProject.Missing ?? "");
        var (exit, output) = await (await NodeProject.InstalledAsync()).TestAsync(script, new Dictionary<string, string>
        {
            // The names that the official client reads by itself.
            ["OPENAI_BASE_URL"] = Host.BaseUrl.ToString(),
            ["OPENAI_API_KEY"] = Host.ApiKey,
            // together-ai's upload reads this and not the address that its client was given.
            ["TOGETHER_API_BASE_URL"] = Host.BaseUrl.ToString().TrimEnd('/'),
            ["LANGTRAIN_MODEL"] = TinyModel.Id,
        });
        Assert.True(exit == 0, output);
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    [CollectionDefinition(Collection)]
    public sealed class Definition : ICollectionFixture<SharedHost>;
}
