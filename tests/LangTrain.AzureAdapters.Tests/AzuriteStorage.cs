using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>Clients of the assembly's Azurite under names that no other test has.</summary>
internal static class AzuriteStorage
{
    public static StorageClients NewAccount(this AzuriteFixture azurite, string? prefix = null) => new(
        new AzureAdaptersOptions { StorageConnectionString = azurite.ConnectionString, NamePrefix = prefix ?? Prefix() });

    public static string Prefix() => AzuriteFixture.UniqueName()[..16];
}
