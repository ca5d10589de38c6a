using System.Text.Json;
using LangTrain.Contracts.FineTunes;
using LangTrain.Testing;
using LangTrain.Worker.FineTunes;
using Microsoft.Extensions.Logging.Abstractions;

namespace LangTrain.Worker.Tests;

public sealed class JobEventReporterTests
{
    private static readonly FineTuneRef Job = new("user-a", "ftjob-a");
    private readonly InMemoryJobEventLog _log = new();
    private readonly RecordingRelay _relay = new();

    [Fact]
    public async Task What_was_added_before_a_flush_is_stored_in_order_and_relayed()
    {
        await using var reporter = Reporter(attempt: 1);
        reporter.Log("info", "first");
        reporter.Data(JobEventTypes.Metrics, "metrics-1", Data("""{"step":1}"""));
        reporter.Log("warning", "third");

        await reporter.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["log", "metrics", "log"], _log.Of(Job).Select(e => e.Type));
        Assert.Equal([1L, 2L, 3L], _relay.PublishedTo(Job).Select(e => e.Sequence));
    }

    [Fact]
    public async Task A_step_told_by_two_attempts_stands_once()
    {
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            await using var reporter = Reporter(attempt);
            reporter.Data(JobEventTypes.Metrics, "metrics-1", Data("""{"step":1}"""));
            await reporter.FlushAsync(TestContext.Current.CancellationToken);
        }

        Assert.Single(_log.Of(Job));
    }

    [Fact]
    public async Task Storage_that_fails_for_a_while_loses_nothing()
    {
        var failures = 2;
        _log.BeforeAppend = _ =>
        {
            if (failures-- > 0)
            {
                throw new IOException("storage answers 500");
            }
        };
        await using var reporter = Reporter(attempt: 1);
        reporter.Log("info", "kept");

        await reporter.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal("kept", Assert.Single(_log.Of(Job)).Message);
    }

    [Fact]
    public async Task Who_waits_for_an_abandoned_reporter_is_let_go()
    {
        _log.BeforeAppend = _ => throw new IOException("storage is gone");
        await using var reporter = Reporter(attempt: 1);
        reporter.Log("info", "lost on purpose");
        var waiting = reporter.FlushAsync(TestContext.Current.CancellationToken);

        reporter.Abandon();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    private JobEventReporter Reporter(int attempt) => new(_log, _relay, Job, attempt, TimeProvider.System, NullLogger.Instance);

    private static JsonElement Data(string json) => JsonElement.Parse(json);
}
