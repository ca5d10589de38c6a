using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using LangTrain.AzureAdapters.Blobs;
using LangTrain.Core.FineTunes;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests.Blobs;

public sealed class AppendBlobJobEventLogTests(AzuriteFixture azurite) : JobEventLogContract
{
    private readonly string _container = AzuriteFixture.UniqueName();

    [Fact]
    public async Task A_log_goes_on_over_many_blobs_with_several_writers()
    {
        var logs = new[] { NewLog(appendsPerSegment: 4), NewLog(appendsPerSegment: 4), NewLog(appendsPerSegment: 4) };
        await Task.WhenAll(Enumerable.Range(0, 30).Select(i => Task.Run(() => logs[i % 3].AppendAsync(Job, [Some.Event($"e{i}")]))));

        var read = await NewLog().ReadAsync(Job).ToListAsync();
        var blobs = await Container().GetBlobsAsync().ToListAsync();

        Assert.Equal(Enumerable.Range(1, 30).Select(n => (long)n), read.Select(e => e.Sequence));
        Assert.Equal(30, read.Select(e => e.Key).Distinct().Count());
        Assert.InRange(blobs.Count, 5, 8);
        // Each writer knows where to go on, whether it closed the last blob itself or not.
        foreach (var log in logs)
        {
            Assert.Single(await log.AppendAsync(Job, [Some.Event("after-" + Array.IndexOf(logs, log))]));
        }

        Assert.Equal([32L, 33L], (await logs[0].ReadAsync(Job, 31).ToListAsync()).Select(e => e.Sequence));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_append_whose_answer_is_lost_is_stored_once_and_told_as_stored(bool clientRetries)
    {
        var faults = new LostAnswers { Left = clientRetries ? 1 : 0 };
        var options = new BlobClientOptions { Retry = { MaxRetries = clientRetries ? 3 : 0, Delay = TimeSpan.FromMilliseconds(1) } };
        options.AddPolicy(faults, HttpPipelinePosition.PerRetry);
        var log = NewLog(options: options);
        await log.AppendAsync(Job, [Some.Event("first")]);

        faults.Left = 1;
        var told = await log.AppendAsync(Job, [Some.Event("a"), Some.Event("b")]);

        Assert.Equal([("a", 2L), ("b", 3L)], told.Select(e => (e.Key!, e.Sequence)));
        Assert.Equal(0, faults.Left);
        Assert.Empty(await log.AppendAsync(Job, [Some.Event("a")]));
        Assert.Equal(["first", "a", "b"], (await NewLog().ReadAsync(Job).ToListAsync()).Select(e => e.Key));
    }

    [Fact]
    public async Task A_log_that_forgets_jobs_still_numbers_them_right()
    {
        var log = NewLog(jobsInMemory: 2);
        var jobs = Enumerable.Range(0, 5).Select(i => Job with { JobId = Job.JobId + i }).ToList();
        for (var round = 0; round < 3; round++)
        {
            foreach (var job in jobs)
            {
                var told = await log.AppendAsync(job, [Some.Event($"round-{round}")]);
                Assert.Equal(round + 1, Assert.Single(told).Sequence);
            }
        }
    }

    [Fact]
    public async Task A_batch_over_the_limit_is_refused_whole_and_a_long_log_is_read_in_parts()
    {
        var log = NewLog();
        var big = new string('x', 1_000_000);
        await Assert.ThrowsAsync<ArgumentException>(() => log.AppendAsync(Job, [.. Enumerable.Range(0, 5).Select(i => Some.Event($"big-{i}", big))]));
        Assert.Empty(await log.ReadAsync(Job).ToListAsync());

        for (var i = 0; i < 6; i++)
        {
            await log.AppendAsync(Job, [Some.Event($"big-{i}", big)]);
        }

        Assert.Equal(Enumerable.Range(0, 6).Select(i => $"big-{i}"), (await NewLog().ReadAsync(Job).ToListAsync()).Select(e => e.Key));
    }

    protected override IJobEventLog NewLog() => NewLog(appendsPerSegment: 49_000);

    private AppendBlobJobEventLog NewLog(int appendsPerSegment = 49_000, int jobsInMemory = 200, BlobClientOptions? options = null) =>
        new(new LazyResource<BlobContainerClient>(Container(options), c => c.CreateIfNotExistsAsync()), appendsPerSegment, jobsInMemory);

    private BlobContainerClient Container(BlobClientOptions? options = null) => new(azurite.ConnectionString, _container, options);

    /// <summary>Lets appends reach storage and then loses the answer: what a broken connection does.</summary>
    private sealed class LostAnswers : HttpPipelinePolicy
    {
        public int Left { get; set; }

        public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => ProcessNext(message, pipeline);

        public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
        {
            await ProcessNextAsync(message, pipeline);
            if (Left > 0 && message.Request.Uri.Query.Contains("comp=appendblock", StringComparison.Ordinal) && message.Response.Status == 201)
            {
                Left--;
                throw new IOException("The connection was closed.");
            }
        }
    }
}
