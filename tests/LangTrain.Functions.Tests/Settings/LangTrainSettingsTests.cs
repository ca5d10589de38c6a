using Microsoft.Extensions.Configuration;

namespace LangTrain.Functions.Tests.Settings;

/// <summary>What is missing or contradictory is listed at once, by name.</summary>
public sealed class LangTrainSettingsTests
{
    [Fact]
    public void Every_wrong_setting_is_named_in_one_error()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Read(
            ("LANGTRAIN_WORKER_URL", "nowhere"),
            ("LANGTRAIN_ALLOW_PRIVATE_URLS", "perhaps"),
            ("LANGTRAIN_COMPLETE_IN_REQUEST_MB", "-1"),
            ("LANGTRAIN_MODELS_DIR", "no-such-folder"),
            ("LANGTRAIN_MODEL_ALIASES", "="),
            ("LANGTRAIN_BOOTSTRAP_TIER", "gold"),
            ("LANGTRAIN_WEBPUBSUB_ENDPOINT", "https://wps.example"),
            ("WebPubSubConnectionString", "Endpoint=https://wps.example;AccessKey=secret-of-the-relay")));

        string[] named =
        [
            "AzureWebJobsStorage", "LANGTRAIN_WORKER_URL", "LANGTRAIN_ALLOW_PRIVATE_URLS", "LANGTRAIN_COMPLETE_IN_REQUEST_MB", "LANGTRAIN_MODELS_DIR", "LANGTRAIN_MODEL_ALIASES",
            "LANGTRAIN_BOOTSTRAP_TIER", "LANGTRAIN_WEBPUBSUB_ENDPOINT", "LANGTRAIN_WEBPUBSUB_PRINCIPAL_ID", "AZURE_TENANT_ID",
        ];
        Assert.Empty(named.Where(name => !error.Message.Contains(name, StringComparison.Ordinal)));
        Assert.DoesNotContain("secret-of-the-relay", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_storage_account_is_given_in_one_way()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Read(("AzureWebJobsStorage", "UseDevelopmentStorage=true"), ("AzureWebJobsStorage:accountName", "lt")));

        Assert.Contains("not both", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_settings_of_the_templates_are_complete()
    {
        // As infra/modules/functions.bicep sets them, with values of the same kind.
        var settings = Read(
            ("AzureWebJobsStorage:accountName", "ltdemo"), ("AZURE_CLIENT_ID", "id"), ("AZURE_TENANT_ID", "tenant"),
            ("LANGTRAIN_WEBPUBSUB_ENDPOINT", "https://wps.example"), ("LANGTRAIN_WEBPUBSUB_PRINCIPAL_ID", "oid"),
            ("LANGTRAIN_WORKER_URL", "https://worker.example"), ("LANGTRAIN_WORKER_KEY", "k"), ("LANGTRAIN_BOOTSTRAP_API_KEY", "lt-key"),
            ("LANGTRAIN_BOOTSTRAP_TIER", "enterprise"), ("LANGTRAIN_ALLOW_PRIVATE_URLS", "false"));

        Assert.Equal("oid", settings.WebPubSubPrincipalId);
    }

    private static LangTrainSettings Read(params (string Name, string Value)[] settings) => LangTrainSettings.FromConfiguration(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value))).Build());
}
