using System.Security.Cryptography;
using LangTrain.LocalHost.Processes;

namespace LangTrain.LocalHost.Startup;

/// <summary>Settings of this host; those of the app and the worker go through to them unread. Immutable.</summary>
internal sealed record LocalHostSettings
{
    /// <summary>Where data, logs and caches lie when nothing else is said.</summary>
    public static string DefaultDataFolder { get; } = Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify) is { Length: > 0 } local
            ? local
            : Path.Combine(Path.GetTempPath()),
        "LangTrain", "data");

    /// <summary><c>LANGTRAIN_URL</c>.</summary>
    public required Uri Url { get; init; }

    /// <summary><c>LANGTRAIN_DATA_DIR</c>, absolute.</summary>
    public required string DataFolder { get; init; }

    /// <summary><c>AzureWebJobsStorage</c>, or null for an Azurite of our own.</summary>
    public string? StorageConnectionString { get; init; }

    /// <summary><c>LANGTRAIN_BOOTSTRAP_API_KEY</c>, or null for one of our own.</summary>
    public string? BootstrapKey { get; init; }

    /// <summary><c>LANGTRAIN_BOOTSTRAP_TIER</c>.</summary>
    public string BootstrapTier { get; init; } = "enterprise";

    /// <summary>Folder of log files.</summary>
    public string LogFolder => Path.Combine(DataFolder, "logs");

    /// <summary>Reads the environment.</summary>
    /// <exception cref="StartFailedException">The address cannot be listened on.</exception>
    public static LocalHostSettings FromEnvironment()
    {
        static string? Given(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? text : null;
        var text = Given("LANGTRAIN_URL") ?? "http://localhost:7071";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme != Uri.UriSchemeHttp || url.PathAndQuery != "/")
        {
            throw new StartFailedException($"LANGTRAIN_URL is '{text}'; it must be an address such as http://localhost:7071.");
        }

        return new LocalHostSettings
        {
            Url = url,
            DataFolder = Path.GetFullPath(Given("LANGTRAIN_DATA_DIR") ?? DefaultDataFolder),
            StorageConnectionString = Given("AzureWebJobsStorage"),
            BootstrapKey = Given("LANGTRAIN_BOOTSTRAP_API_KEY"),
            BootstrapTier = Given("LANGTRAIN_BOOTSTRAP_TIER") ?? "enterprise",
            SigningKey = Given("LANGTRAIN_SIGNING_KEY"),
        };
    }

    /// <summary><c>LANGTRAIN_SIGNING_KEY</c>, or null for one of our own.</summary>
    public string? SigningKey { get; init; }

    /// <summary>The first account's key: as given, or made once and kept in the data folder, readable by its owner only.</summary>
    public string EnsureBootstrapKey() => BootstrapKey ?? EnsureSecret("first-api-key", "lt-");

    /// <summary>The installation's secret: as given, or made once and kept in the data folder, readable by its owner only.</summary>
    public string EnsureSigningKey() => SigningKey ?? EnsureSecret("signing-key", "");

    private string EnsureSecret(string fileName, string prefix)
    {
        var path = Path.Combine(DataFolder, fileName);
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: > 8 } kept)
        {
            return kept;
        }

        var made = prefix + RandomNumberGenerator.GetHexString(48, lowercase: true);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new StreamWriter(path, options);
        file.Write(made);
        return made;
    }
}
