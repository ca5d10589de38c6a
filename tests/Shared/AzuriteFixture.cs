using LangTrain.LocalHost.Azurite;

namespace LangTrain.Testing;

/// <summary>
/// A real Azurite for one test assembly: <c>[assembly: AssemblyFixture(typeof(AzuriteFixture))]</c>, and tests take it in the constructor.
/// It starts with the first test that asks for it and keeps its data in a temporary folder that goes with it.
/// Tests share it, so each uses names of its own: <see cref="UniqueName"/>.
/// </summary>
public sealed class AzuriteFixture : IAsyncLifetime
{
    /// <summary>Environment variable with a connection string to use instead of an Azurite of our own.</summary>
    public const string GivenStorage = "LANGTRAIN_TEST_STORAGE";

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"langtrain-azurite-{Guid.NewGuid():N}");
    private AzuriteProcess? _azurite;
    private string? _given;

    /// <summary>Connection string with blob, queue and table endpoints.</summary>
    public string ConnectionString => _given ?? _azurite!.ConnectionString;

    /// <summary>A name that no other test has: lower-case letters and digits, good for a table, queue or container.</summary>
    public static string UniqueName(string prefix = "t") => prefix + Guid.NewGuid().ToString("N")[..20];

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _given = Environment.GetEnvironmentVariable(GivenStorage);
        if (_given is not null)
        {
            return;
        }

        var installation = await AzuriteInstallation.EnsureAsync(
            AzuriteInstallation.DefaultCacheFolder(_folder), TestContext.Current.SendDiagnosticMessage, CancellationToken.None);
        _azurite = await AzuriteProcess.StartAsync(installation, _folder, _ => { }, CancellationToken.None);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_azurite is not null)
        {
            await _azurite.DisposeAsync();
        }

        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }
}
