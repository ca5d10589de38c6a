using LangTrain.LocalHost.Durable;
using LangTrain.Testing;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace LangTrain.LocalHost.Tests.Durable;

/// <summary>A process that dies at any moment around a change of what is stored loses nothing and doubles nothing.</summary>
public sealed class CrashTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task Whichever_commit_point_is_the_last_one_the_next_process_comes_to_the_same_end()
    {
        var reached = new HashSet<CommitPoint>();
        for (var moment = 1; ; moment++)
        {
            var points = new DyingProcess(moment);
            await JourneyAsync(points);
            if (!points.HasDied)
            {
                break;
            }

            reached.Add(points.Last);
        }

        Assert.Equal(Enum.GetValues<CommitPoint>(), reached.Order());
    }

    private async Task JourneyAsync(DyingProcess points)
    {
        var hub = AzuriteFixture.UniqueName("Hub");
        var id = AzuriteFixture.UniqueName();
        var todo = new Queue<Func<DurableTaskClient, Task>>(
        [
            client => client.ScheduleNewOrchestrationInstanceAsync(nameof(DurableTestFunctions.Journey), new StartOrchestrationOptions(id)),
            client => client.RaiseEventAsync(id, "go", "one"),
            client => client.RaiseEventAsync(id, "go", "two"),
        ]);
        await using (var first = new DurableHost(azurite.ConnectionString, hub, points))
        {
            await first.StartAsync();
            await DoAsync(first.Client, todo, points);
            for (var i = 0; !points.HasDied && (await first.Client.GetInstanceAsync(id))!.RuntimeStatus != OrchestrationRuntimeStatus.Completed; i++)
            {
                Assert.True(i < 1000, "neither dead nor done");
                await Task.Delay(5, TestContext.Current.CancellationToken);
            }
        }

        await using var second = new DurableHost(azurite.ConnectionString, hub);
        await second.StartAsync();
        await DoAsync(second.Client, todo, null);
        Assert.Equal("6 one two True", (await second.EndAsync(id)).ReadOutputAs<string>());
    }

    // A caller whose message was stored before the process died does not send it again; one whose message was not, does.
    private static async Task DoAsync(DurableTaskClient client, Queue<Func<DurableTaskClient, Task>> todo, DyingProcess? points)
    {
        while (todo.TryPeek(out var next))
        {
            try
            {
                await next(client);
                todo.Dequeue();
            }
            catch (ProcessDiedException died) when (points is not null)
            {
                if (died.Point == CommitPoint.AfterMessage)
                {
                    todo.Dequeue();
                }

                return;
            }
        }
    }

    /// <summary>Ends whatever came to a commit point of a dead process.</summary>
    private sealed class ProcessDiedException(CommitPoint point) : Exception
    {
        public CommitPoint Point => point;
    }

    /// <summary>Dies at one of its moments; from then on nothing of it gets any further.</summary>
    private sealed class DyingProcess(int moment) : ICommitPoints
    {
        private readonly Lock _lock = new();
        private int _moments;

        public bool HasDied { get; private set; }

        public CommitPoint Last { get; private set; }

        public void Reach(CommitPoint point, string instanceId)
        {
            lock (_lock)
            {
                if (HasDied)
                {
                    throw new ProcessDiedException(point);
                }

                if (++_moments == moment)
                {
                    (HasDied, Last) = (true, point);
                    throw new ProcessDiedException(point);
                }
            }
        }
    }
}
