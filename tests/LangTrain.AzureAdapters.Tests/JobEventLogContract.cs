using System.Text.Json;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IJobEventLog"/> does.</summary>
public abstract class JobEventLogContract
{
    protected FineTuneRef Job { get; } = new(Some.AccountId, "ftjob-" + Guid.NewGuid().ToString("N"));

    /// <summary>A log over the same storage, as another process would have it.</summary>
    protected abstract IJobEventLog NewLog();

    [Fact]
    public async Task Events_are_numbered_from_one_and_read_back_as_they_were_told()
    {
        var log = NewLog();
        var metrics = new JobEventDraft
        {
            Key = "metrics-1", Type = JobEventTypes.Metrics, Timestamp = Some.Moment.AddTicks(1),
            Data = JsonDocument.Parse("{ \"loss\": 0.30000000000000004,\n \"step\": 1 }").RootElement,
        };
        var told = await log.AppendAsync(Job, [Some.Event("log-1", "line one\nline “two”"), metrics]);

        var read = await NewLog().ReadAsync(Job).ToListAsync();

        Assert.Equal([1, 2], told.Select(e => e.Sequence));
        Assert.Equal(told.Select(e => e with { Data = null }), read.Select(e => e with { Data = null }));
        Assert.Equal(("line one\nline “two”", "info"), (read[0].Message, read[0].Level));
        Assert.Equal(0.30000000000000004, read[1].Data!.Value.GetProperty("loss").GetDouble());
        Assert.Equal("""{"loss":0.30000000000000004,"step":1}""", JsonSerializer.Serialize(read[1].Data!.Value));
    }

    [Fact]
    public async Task A_job_without_events_reads_as_nothing()
    {
        Assert.Empty(await NewLog().ReadAsync(Job).ToListAsync());
        Assert.Empty(await NewLog().AppendAsync(Job, []));
    }

    [Fact]
    public async Task A_key_is_stored_once_whoever_tells_it()
    {
        var (first, second) = (NewLog(), NewLog());
        await first.AppendAsync(Job, [Some.Event("a"), Some.Event("b")]);

        var told = await second.AppendAsync(Job, [Some.Event("b"), Some.Event("c"), Some.Event("c", "again")]);
        var again = await first.AppendAsync(Job, [Some.Event("c"), Some.Event("a")]);

        Assert.Equal([("c", 3L)], told.Select(e => (e.Key!, e.Sequence)));
        Assert.Empty(again);
        Assert.Equal(["a", "b", "c"], (await first.ReadAsync(Job).ToListAsync()).Select(e => e.Key));
    }

    [Fact]
    public async Task Nothing_follows_the_end_of_the_job()
    {
        var (worker, service) = (NewLog(), NewLog());
        await worker.AppendAsync(Job, [Some.Event("a")]);
        var end = new JobEventDraft { Key = "status-4", Type = JobEventTypes.Status, Timestamp = Some.Moment, Status = "completed" };
        Assert.Equal(2, (await service.AppendAsync(Job, [Some.Event("ready"), end])).Count);

        // A worker that was thought lost wakes where it was about to tell.
        Assert.Empty(await worker.AppendAsync(Job, [Some.Event("late")]));
        Assert.Empty(await service.AppendAsync(Job, [end, Some.Event("later")]));
        Assert.Equal(["a", "ready", "status-4"], (await NewLog().ReadAsync(Job).ToListAsync()).Select(e => e.Key));
    }

    [Fact]
    public async Task Two_writers_at_once_leave_no_hole_and_double_nothing()
    {
        var logs = new[] { NewLog(), NewLog() };
        var told = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(() =>
            // Every third event is told by both.
            logs[i % 2].AppendAsync(Job, [Some.Event($"own-{i}"), Some.Event($"shared-{i / 6}")]))));

        var read = await NewLog().ReadAsync(Job).ToListAsync();

        Assert.Equal(Enumerable.Range(1, 70).Select(n => (long)n), read.Select(e => e.Sequence));
        Assert.Equal(70, read.Select(e => e.Key).Distinct().Count());
        Assert.Equal(read.Select(e => (e.Sequence, e.Key)), told.SelectMany(t => t).Select(e => (e.Sequence, e.Key)).Order());
    }

    [Fact]
    public async Task Reading_after_a_number_gives_what_follows_also_to_a_reader_that_comes_again()
    {
        var (writer, reader) = (NewLog(), NewLog());
        var all = new List<string>();
        for (var i = 0; i < 10; i++)
        {
            var batch = Enumerable.Range(0, 30).Select(n => Some.Event($"e{i}-{n}")).ToList();
            all.AddRange(batch.Select(e => e.Key));
            await writer.AppendAsync(Job, batch);
        }

        foreach (var after in new[] { 0, 1, 63, 64, 65, 150, 299, 300, 500, 10 })
        {
            var read = await reader.ReadAsync(Job, after).ToListAsync();
            Assert.Equal(all.Skip(after), read.Select(e => e.Key));
            Assert.Equal(read.Count == 0 ? 0 : after + 1, read.FirstOrDefault()?.Sequence ?? 0);
        }

        await writer.AppendAsync(Job, [Some.Event("last")]);
        Assert.Equal([301L], (await reader.ReadAsync(Job, 300).ToListAsync()).Select(e => e.Sequence));
    }
}

public sealed class InMemoryJobEventLogTests : JobEventLogContract
{
    private readonly InMemoryJobEventLog _log = new();

    protected override IJobEventLog NewLog() => _log;
}
