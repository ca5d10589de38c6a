using Azure.Data.Tables;
using LangTrain.LocalHost.Azurite;

namespace LangTrain.LocalHost.Tests.Azurite;

public sealed class AzuriteProcessTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"langtrain-test-{Guid.NewGuid():N}");

    [Fact]
    public async Task What_was_written_is_there_after_a_stop_and_a_new_start_over_the_folder()
    {
        var installation = await AzuriteInstallation.EnsureAsync(
            AzuriteInstallation.DefaultCacheFolder(_folder), _ => { }, TestContext.Current.CancellationToken);
        await using (var first = await AzuriteProcess.StartAsync(installation, _folder, _ => { }, TestContext.Current.CancellationToken))
        {
            var table = new TableClient(first.ConnectionString, "kept");
            await table.CreateAsync(TestContext.Current.CancellationToken);
            await table.AddEntityAsync(new TableEntity("p", "r") { ["Word"] = "hello" }, TestContext.Current.CancellationToken);
        }

        await using var second = await AzuriteProcess.StartAsync(installation, _folder, _ => { }, TestContext.Current.CancellationToken);
        var row = await new TableClient(second.ConnectionString, "kept")
            .GetEntityAsync<TableEntity>("p", "r", cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("hello", row.Value.GetString("Word"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
