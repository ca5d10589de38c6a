using System.Globalization;
using LangTrain.AzureAdapters;
using LangTrain.Core.Accounts;
using LangTrain.Core.Models;
using Microsoft.Extensions.Configuration;

namespace LangTrain.Functions;

/// <summary>The app's settings, read once at start. Immutable.</summary>
public sealed record LangTrainSettings
{
    /// <summary>Storage account (<c>AzureWebJobsStorage</c>); null where an identity is used (<c>AzureWebJobsStorage__accountName</c>).</summary>
    public string? StorageConnectionString { get; init; }

    /// <summary>Storage account's name, with an identity.</summary>
    public string? StorageAccountName { get; init; }

    /// <summary><c>AZURE_CLIENT_ID</c>: which user-assigned identity, where there is one.</summary>
    public string? IdentityClientId { get; init; }

    /// <summary><c>WebPubSubConnectionString</c>; null where an identity is used, or where there is none.</summary>
    public string? WebPubSubConnectionString { get; init; }

    /// <summary><c>LANGTRAIN_WEBPUBSUB_ENDPOINT</c>, with an identity.</summary>
    public Uri? WebPubSubEndpoint { get; init; }

    /// <summary><c>LANGTRAIN_WEBPUBSUB_PRINCIPAL_ID</c>, with an identity: object id of Web PubSub's own, whose events are believed.</summary>
    public string? WebPubSubPrincipalId { get; init; }

    /// <summary><c>AZURE_TENANT_ID</c>, with an identity: the tenant whose tokens are believed.</summary>
    public string? TenantId { get; init; }

    /// <summary><c>LANGTRAIN_WORKER_URL</c>: where workers serve generation.</summary>
    public Uri? WorkerUrl { get; init; }

    /// <summary><c>LANGTRAIN_WORKER_KEY</c>: the secret of the workers' API.</summary>
    public string? WorkerKey { get; init; }

    /// <summary><c>LANGTRAIN_MODEL_ALIASES</c>.</summary>
    public ModelAliases ModelAliases { get; init; } = ModelAliases.None;

    /// <summary><c>LANGTRAIN_MODELS_DIR</c>: folder of base models, or null.</summary>
    public string? ModelsDirectory { get; init; }

    /// <summary><c>LANGTRAIN_ALLOW_PRIVATE_URLS</c>: whether private addresses may be fetched from.</summary>
    public bool AllowPrivateUrls { get; init; }

    /// <summary><c>LANGTRAIN_COMPLETE_IN_REQUEST_MB</c>: largest upload in parts, in MiB, that is a whole file when its completion is answered; null for the default.</summary>
    public int? CompleteInRequestMegabytes { get; init; }

    /// <summary><c>LANGTRAIN_STORAGE_PREFIX</c>: prefix of all names in the storage account; empty in production.</summary>
    public string NamePrefix { get; init; } = "";

    /// <summary><c>LANGTRAIN_BOOTSTRAP_API_KEY</c>: key of the first account, or null for no account of our making.</summary>
    public string? BootstrapApiKey { get; init; }

    /// <summary><c>LANGTRAIN_BOOTSTRAP_TIER</c>.</summary>
    public string BootstrapTier { get; init; } = "enterprise";

    /// <summary><c>LANGTRAIN_SIGNING_KEY</c>: the installation's secret, from which webhook secrets are derived; null where there is none.</summary>
    public string? SigningKey { get; init; }

    /// <summary><c>LANGTRAIN_ENTRA_TENANT_ID</c>: set only where the app sits behind Azure's built-in authentication; people of this directory may sign in.</summary>
    public string? EntraTenantId { get; init; }

    /// <summary>Where the adapters find their services.</summary>
    public AzureAdaptersOptions Adapters() => new()
    {
        StorageConnectionString = StorageConnectionString,
        StorageAccountName = StorageAccountName,
        ManagedIdentityClientId = IdentityClientId,
        NamePrefix = NamePrefix,
        WebPubSubConnectionString = WebPubSubConnectionString,
        WebPubSubEndpoint = WebPubSubEndpoint,
        WorkerUri = WorkerUrl,
        WorkerKey = WorkerKey,
    };

    /// <summary>Reads the settings.</summary>
    /// <exception cref="InvalidOperationException">Some are missing or wrong; the message has a line for each.</exception>
    public static LangTrainSettings FromConfiguration(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var problems = new List<string>();
        var settings = new LangTrainSettings
        {
            StorageConnectionString = Text(configuration, "AzureWebJobsStorage"),
            StorageAccountName = Text(configuration, "AzureWebJobsStorage:accountName"),
            IdentityClientId = Text(configuration, "AZURE_CLIENT_ID"),
            BootstrapApiKey = Text(configuration, "LANGTRAIN_BOOTSTRAP_API_KEY"),
            BootstrapTier = Text(configuration, "LANGTRAIN_BOOTSTRAP_TIER") ?? "enterprise",
            WebPubSubConnectionString = Text(configuration, "WebPubSubConnectionString"),
            WebPubSubEndpoint = Address(configuration, "LANGTRAIN_WEBPUBSUB_ENDPOINT", problems),
            WebPubSubPrincipalId = Text(configuration, "LANGTRAIN_WEBPUBSUB_PRINCIPAL_ID"),
            TenantId = Text(configuration, "AZURE_TENANT_ID"),
            WorkerUrl = Address(configuration, "LANGTRAIN_WORKER_URL", problems),
            WorkerKey = Text(configuration, "LANGTRAIN_WORKER_KEY"),
            ModelAliases = Aliases(configuration, problems),
            ModelsDirectory = Folder(configuration, "LANGTRAIN_MODELS_DIR", problems),
            AllowPrivateUrls = Flag(configuration, "LANGTRAIN_ALLOW_PRIVATE_URLS", problems),
            CompleteInRequestMegabytes = Whole(configuration, "LANGTRAIN_COMPLETE_IN_REQUEST_MB", problems),
            NamePrefix = Text(configuration, "LANGTRAIN_STORAGE_PREFIX") ?? "",
            SigningKey = Text(configuration, "LANGTRAIN_SIGNING_KEY"),
            EntraTenantId = Text(configuration, "LANGTRAIN_ENTRA_TENANT_ID"),
        };
        if (settings.StorageConnectionString is null && settings.StorageAccountName is null)
        {
            problems.Add("AzureWebJobsStorage: a connection string (or AzureWebJobsStorage__accountName with an identity) is required.");
        }

        if (settings.WorkerUrl is not null && settings.WorkerKey is null)
        {
            problems.Add("LANGTRAIN_WORKER_KEY: required with LANGTRAIN_WORKER_URL; the worker has the same.");
        }

        if (settings.SigningKey is { Length: < DerivedSecrets.LeastCharacters })
        {
            problems.Add($"LANGTRAIN_SIGNING_KEY: must have at least {DerivedSecrets.LeastCharacters} characters, all random.");
        }

        if (settings.EntraTenantId is { } tenant && !Guid.TryParse(tenant, out _))
        {
            problems.Add($"LANGTRAIN_ENTRA_TENANT_ID: must be the directory's id (a GUID), not '{tenant}'.");
        }

        AddContradictions(settings, problems);
        return problems.Count == 0
            ? settings
            : throw new InvalidOperationException("The settings are not complete:\n  " + string.Join("\n  ", problems));
    }

    private static void AddContradictions(LangTrainSettings settings, List<string> problems)
    {
        if (settings is { StorageConnectionString: not null, StorageAccountName: not null })
        {
            problems.Add("AzureWebJobsStorage and AzureWebJobsStorage__accountName: give one of them, not both.");
        }

        if (settings is { WebPubSubConnectionString: not null, WebPubSubEndpoint: not null })
        {
            problems.Add("WebPubSubConnectionString and LANGTRAIN_WEBPUBSUB_ENDPOINT: give one of them, not both.");
        }

        if (settings.WebPubSubEndpoint is not null && (settings.WebPubSubPrincipalId is null || settings.TenantId is null))
        {
            problems.Add("LANGTRAIN_WEBPUBSUB_PRINCIPAL_ID and AZURE_TENANT_ID: required with LANGTRAIN_WEBPUBSUB_ENDPOINT; events of other senders are refused by them.");
        }

        if (!Tiers.All.Contains(settings.BootstrapTier))
        {
            problems.Add($"LANGTRAIN_BOOTSTRAP_TIER: must be one of {string.Join(", ", Tiers.All)}, not '{settings.BootstrapTier}'.");
        }
    }

    // An empty value is what a sample file has where nothing is set.
    private static string? Text(IConfiguration configuration, string name) => configuration[name] is { Length: > 0 } text ? text : null;

    private static Uri? Address(IConfiguration configuration, string name, List<string> problems)
    {
        if (Text(configuration, name) is not { } text)
        {
            return null;
        }

        if (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
        {
            return address;
        }

        problems.Add($"{name}: '{text}' is not an http(s) address.");
        return null;
    }

    private static string? Folder(IConfiguration configuration, string name, List<string> problems)
    {
        var text = Text(configuration, name);
        if (text is not null && !Directory.Exists(text))
        {
            problems.Add($"{name}: the folder '{text}' does not exist.");
        }

        return text;
    }

    private static int? Whole(IConfiguration configuration, string name, List<string> problems)
    {
        if (Text(configuration, name) is not { } text)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        problems.Add($"{name}: must be a whole number, not '{text}'.");
        return null;
    }

    private static bool Flag(IConfiguration configuration, string name, List<string> problems)
    {
        var text = Text(configuration, name);
        if (text is null or "0" || text.Equals("false", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        if (text is not "1" && !text.Equals("true", StringComparison.OrdinalIgnoreCase))
        {
            problems.Add($"{name}: must be true or false, not '{text}'.");
        }

        return true;
    }

    private static ModelAliases Aliases(IConfiguration configuration, List<string> problems)
    {
        try
        {
            return ModelAliases.Parse(Text(configuration, "LANGTRAIN_MODEL_ALIASES"));
        }
        catch (FormatException e)
        {
            problems.Add("LANGTRAIN_MODEL_ALIASES: " + e.Message);
            return ModelAliases.None;
        }
    }
}
