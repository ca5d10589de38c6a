using System.Diagnostics;
using Azure.Data.Tables;
using LangTrain.LocalHost.Durable;
using LangTrain.Testing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace LangTrain.LocalHost.Tests.Durable;

/// <summary>Kills a real process that runs an orchestration, again and again.</summary>
public sealed class KilledProcessTests(AzuriteFixture azurite)
{
    private const string HubSetting = "LANGTRAIN_TEST_HUB";
    private const int Steps = 60;

    [Fact]
    public async Task An_orchestration_comes_to_its_end_once_however_often_its_process_is_killed()
    {
        var hub = AzuriteFixture.UniqueName("Hub");
        var notes = new TableClient(azurite.ConnectionString, hub + "Notes");
        await notes.CreateAsync(TestContext.Current.CancellationToken);
        var store = new DurableStore(azurite.ConnectionString, hub);
        await store.PrepareAsync(CancellationToken.None);
        var now = TimeProvider.System.GetUtcNow();
        var record = new InstanceRecord
        {
            InstanceId = "travel", Name = nameof(KilledFunctions.Travel), Status = OrchestrationRuntimeStatus.Pending,
            Generation = 1, CreatedAt = now, LastUpdatedAt = now, Input = $"\"{azurite.ConnectionString} {hub}Notes\"",
        };
        await store.CreateAsync(record, new DurableMessage { Kind = DurableMessageKind.Start }, CancellationToken.None);

        foreach (var stepsEach in (int[])[5, 17, 33])
        {
            using var child = Start(azurite.ConnectionString, hub);
            await UntilAsync(notes, stepsEach);
            child.Kill();
            await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await using var last = new DurableHost(azurite.ConnectionString, hub, null, typeof(KilledFunctions));
        await last.StartAsync();
        Assert.Equal(Enumerable.Range(0, Steps).Sum(), (await last.EndAsync("travel")).ReadOutputAs<int>());
        var tries = await CountsAsync(notes);
        Assert.Equal(Steps, tries.Count);
        // Only the activity that a kill interrupted may have run a second time.
        Assert.InRange(tries.Sum(), Steps, Steps + 3);
    }

    /// <summary>Not a test: what the killed process runs.</summary>
    [Fact(Explicit = true)]
    public async Task Child()
    {
        await using var host = new DurableHost(
            azurite.ConnectionString, Environment.GetEnvironmentVariable(HubSetting)!, null, typeof(KilledFunctions));
        await host.StartAsync();
        // Its end is a kill, or the end of the process that started it.
        await Console.In.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    private static Process Start(string storage, string hub)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])[typeof(KilledProcessTests).Assembly.Location, "-explicit", "only", "-method", $"*{nameof(KilledProcessTests)}.{nameof(Child)}"])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment[AzuriteFixture.GivenStorage] = storage;
        start.Environment[HubSetting] = hub;
        var child = Process.Start(start)!;
        child.BeginOutputReadLine();
        return child;
    }

    private static async Task UntilAsync(TableClient notes, int count)
    {
        for (var i = 0; (await CountsAsync(notes)).Count < count; i++)
        {
            Assert.True(i < 600, "the child did not come that far in 30 seconds");
            await Task.Delay(50);
        }
    }

    private static async Task<List<int>> CountsAsync(TableClient notes)
    {
        var counts = new List<int>();
        await foreach (var row in notes.QueryAsync<TableEntity>())
        {
            counts.Add(row.GetInt32("Tries")!.Value);
        }

        return counts;
    }
}

/// <summary>Sixty steps, each of which is counted in a table.</summary>
public static class KilledFunctions
{
    [Function(nameof(Travel))]
    public static async Task<int> Travel([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var sum = 0;
        for (var i = 0; i < 60; i++)
        {
            sum += await context.CallActivityAsync<int>(nameof(Step), $"{context.GetInput<string>()} {i}");
        }

        return sum;
    }

    [Function(nameof(Step))]
    public static async Task<int> Step([ActivityTrigger] string input)
    {
        var words = input.Split(' ');
        var notes = new TableClient(words[0], words[1]);
        var row = await notes.GetEntityIfExistsAsync<TableEntity>("step", words[2]);
        var tries = row.HasValue ? row.Value!.GetInt32("Tries")!.Value : 0;
        await notes.UpsertEntityAsync(new TableEntity("step", words[2]) { ["Tries"] = tries + 1 });
        return int.Parse(words[2], System.Globalization.CultureInfo.InvariantCulture);
    }
}
