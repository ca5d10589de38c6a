using LangTrain.Contracts.FineTunes;
using LangTrain.Core;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IFineTuneStore"/> does.</summary>
public abstract class FineTuneStoreContract
{
    protected abstract IFineTuneStore Store { get; }

    [Fact]
    public async Task A_job_is_read_back_as_it_was_written()
    {
        var job = FullJob();
        await Store.CreateAsync(job);

        var found = await Store.FindAsync(job.Ref());

        Assert.Equal(job, found!.Value with { Config = job.Config, Metadata = job.Metadata, Prepared = job.Prepared, PendingEvents = job.PendingEvents });
        Assert.Equal(job.Config.TrainingConfig, found.Value.Config.TrainingConfig);
        Assert.Equal(job.Config.LoraConfig.TargetModules, found.Value.Config.LoraConfig.TargetModules);
        Assert.Equal(job.Metadata, found.Value.Metadata);
        Assert.Equal(job.Prepared!.Warnings, found.Value.Prepared!.Warnings);
        Assert.Equal(job.PendingEvents[0].Key, found.Value.PendingEvents[0].Key);
        Assert.Equal("""{"step":3}""", found.Value.PendingEvents[0].Data!.Value.ToString().Replace(" ", "", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Somebody_elses_job_is_not_found()
    {
        var job = Some.Job();
        await Store.CreateAsync(job);

        Assert.Null(await Store.FindAsync(new FineTuneRef("user-other", job.Id)));
        Assert.Null(await Store.FindAsync(new FineTuneRef(job.AccountId, "no/such?job#" + new string('x', 2000))));
    }

    [Fact]
    public async Task A_second_job_of_one_id_is_refused_and_the_first_stays()
    {
        var job = Some.Job() with { Name = "first" };
        await Store.CreateAsync(job);

        await Assert.ThrowsAsync<AlreadyExistsException>(() => Store.CreateAsync(job with { Name = "second" }));

        Assert.Equal("first", (await Store.FindAsync(job.Ref()))!.Value.Name);
    }

    [Fact]
    public async Task A_stale_version_is_refused_with_and_without_a_change_of_status()
    {
        var job = Some.Job();
        await Store.CreateAsync(job);
        var read = (await Store.FindAsync(job.Ref()))!;
        var written = await Store.UpdateAsync(read, job with { Name = "a" });

        await Assert.ThrowsAsync<StaleWriteException>(() => Store.UpdateAsync(read, job with { Name = "b" }));
        await Assert.ThrowsAsync<StaleWriteException>(() => Store.UpdateAsync(read, job with { Status = FineTuneStatus.Validating }));
        await Store.UpdateAsync(written, job with { Name = "c", Status = FineTuneStatus.Validating });

        var now = (await Store.FindAsync(job.Ref()))!.Value;
        Assert.Equal(("c", FineTuneStatus.Validating), (now.Name, now.Status));
    }

    [Fact]
    public async Task The_version_of_a_write_serves_the_next_write()
    {
        var job = Some.Job();
        await Store.CreateAsync(job);
        var current = (await Store.FindAsync(job.Ref()))!;
        foreach (var status in new[] { FineTuneStatus.Validating, FineTuneStatus.Queued, FineTuneStatus.Running, FineTuneStatus.Running, FineTuneStatus.Completed })
        {
            current = await Store.UpdateAsync(current, current.Value with { Status = status, Revision = current.Value.Revision + 1 });
        }

        Assert.Equal(current.ETag, (await Store.FindAsync(job.Ref()))!.ETag);
        Assert.Equal(5, current.Value.Revision);
    }

    [Fact]
    public async Task Of_many_writers_of_one_version_one_wins()
    {
        var job = Some.Job();
        await Store.CreateAsync(job);
        var read = (await Store.FindAsync(job.Ref()))!;

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            try
            {
                await Store.UpdateAsync(read, job with { Attempt = i + 1, Status = FineTuneStatus.Validating });
                return i + 1;
            }
            catch (StaleWriteException)
            {
                return 0;
            }
        }));

        Assert.Equal((await Store.FindAsync(job.Ref()))!.Value.Attempt, Assert.Single(results, attempt => attempt > 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pages_hold_every_job_once_in_order(bool oldestFirst)
    {
        var account = "user-" + Guid.NewGuid().ToString("N");
        var clock = new ManualTimeProvider();
        var ids = new List<string>();
        for (var i = 0; i < 45; i++, clock.Advance(TimeSpan.FromMilliseconds(1)))
        {
            ids.Add(Ids.New("ftjob", clock));
        }

        await Parallel.ForEachAsync(ids, async (id, stop) => await Store.CreateAsync(Some.Job(id, account), stop));
        await Store.CreateAsync(Some.Job(accountId: account + "2"));

        var listed = new List<string>();
        Page<FineTune> page;
        do
        {
            page = await Store.ListAsync(account, new PageRequest(20, listed.LastOrDefault(), oldestFirst));
            listed.AddRange(page.Items.Select(job => job.Id));
        }
        while (page.HasMore);

        Assert.Equal(oldestFirst ? ids : ids.AsEnumerable().Reverse(), listed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_status_lists_the_jobs_that_stand_there_now(bool oldestFirst)
    {
        var account = "user-" + Guid.NewGuid().ToString("N");
        var clock = new ManualTimeProvider();
        var running = new List<string>();
        for (var i = 0; i < 9; i++, clock.Advance(TimeSpan.FromMilliseconds(1)))
        {
            var job = Some.Job(Ids.New("ftjob", clock), account) with { Status = FineTuneStatus.Queued };
            await Store.CreateAsync(job);
            if (i % 2 == 0)
            {
                running.Add(job.Id);
                await Store.UpdateAsync((await Store.FindAsync(job.Ref()))!, job with { Status = FineTuneStatus.Running });
            }
        }

        var first = await Store.ListAsync(account, new PageRequest(3, OldestFirst: oldestFirst), FineTuneStatus.Running);
        var second = await Store.ListAsync(account, new PageRequest(3, first.Items[^1].Id, oldestFirst), FineTuneStatus.Running);

        Assert.True(first.HasMore);
        Assert.False(second.HasMore);
        Assert.Equal(oldestFirst ? running : running.AsEnumerable().Reverse(), first.Items.Concat(second.Items).Select(job => job.Id));
        Assert.Equal(4, (await Store.ListAsync(account, new PageRequest(), FineTuneStatus.Queued)).Items.Count);
        Assert.Empty((await Store.ListAsync(account, new PageRequest(), FineTuneStatus.Failed)).Items);
    }

    [Fact]
    public async Task Active_are_the_jobs_of_all_accounts_that_have_not_ended()
    {
        var (alive, ended) = (Some.Job(), Some.Job(accountId: "user-b"));
        await Store.CreateAsync(alive);
        await Store.CreateAsync(ended);
        await Store.UpdateAsync((await Store.FindAsync(ended.Ref()))!, ended with { Status = FineTuneStatus.Cancelled });

        var active = await Store.ListActiveAsync().ToListAsync();

        Assert.Contains(alive.Ref(), active);
        Assert.DoesNotContain(ended.Ref(), active);
    }

    protected static FineTune FullJob() => Some.Job() with
    {
        Name = "naïve “job”\n",
        Prepared = new PreparedDataset("a/b/train.jsonl", null, "chat", 10, 0, 1234, new string('a', 64), ["one", "two"]),
        Suffix = "mine",
        Metadata = new Dictionary<string, string> { ["team"] = "red", ["ключ"] = "значение" },
        Status = FineTuneStatus.Running,
        Requested = FineTuneControl.Pause,
        Attempt = 2,
        Failures = 1,
        Lease = new FineTuneLease(7, "worker-1", Some.Moment.AddSeconds(30)),
        Progress = new FineTuneProgress { CurrentEpoch = 1, CurrentStep = 3, TotalSteps = 9, TrainLoss = 1.25, EtaSeconds = 0.1 + 0.2 },
        Config = new FineTuneConfig
        {
            Method = "qlora",
            LoraConfig = new LoraConfig { R = 4, TargetModules = ["q_proj", "down_proj"] },
            TrainingConfig = new TrainingConfig { MaxSteps = 9, LearningRate = 3e-5, EarlyStopping = new EarlyStoppingConfig(2, 0.01) },
        },
        Error = new JobError("internal_error", "It broke."),
        Revision = 4,
        PendingEvents =
        [
            new JobEventDraft { Key = "status-4", Type = JobEventTypes.Status, Timestamp = Some.Moment, Status = "running", Data = System.Text.Json.JsonDocument.Parse("""{"step":3}""").RootElement },
        ],
        StartedAt = Some.Moment.AddTicks(1234567),
    };
}

public sealed class InMemoryFineTuneStoreTests : FineTuneStoreContract
{
    protected override IFineTuneStore Store { get; } = new InMemoryFineTuneStore();
}
