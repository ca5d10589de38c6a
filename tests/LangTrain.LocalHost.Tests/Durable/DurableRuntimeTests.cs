using LangTrain.Testing;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace LangTrain.LocalHost.Tests.Durable;

/// <summary>The contract of Durable Functions, as far as the app uses it, over a real table.</summary>
public sealed class DurableRuntimeTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private readonly DurableHost _host = new(azurite.ConnectionString, AzuriteFixture.UniqueName("Hub"));

    public ValueTask InitializeAsync() => new(_host.StartAsync());

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Activities_run_one_after_another_with_each_others_results()
    {
        var ended = await _host.RunAsync(nameof(DurableTestFunctions.Chain), 5);
        Assert.Equal(OrchestrationRuntimeStatus.Completed, ended.RuntimeStatus);
        Assert.Equal(40, ended.ReadOutputAs<int>());
        Assert.Equal(5, ended.ReadInputAs<int>());
    }

    [Fact]
    public async Task More_activities_at_once_than_fit_into_one_transaction_all_count()
    {
        var ended = await _host.RunAsync(nameof(DurableTestFunctions.FanOut), 150);
        Assert.Equal(150 * 151, ended.ReadOutputAs<int>());
    }

    [Theory]
    [InlineData(3, "worked at try 3")]
    [InlineData(9, "FailUntil: System.TimeoutException: try 3 failed: True")]
    public async Task A_failed_activity_is_tried_again_as_often_as_its_policy_says(int worksAtTry, string expected)
    {
        var order = new Order(AzuriteFixture.UniqueName(), worksAtTry);
        var ended = await _host.RunAsync(nameof(DurableTestFunctions.Retrying), order);
        Assert.Equal(expected, ended.ReadOutputAs<string>());
        Assert.Equal(3, Probe.Count(order.Key));
    }

    [Fact]
    public async Task Events_are_kept_until_awaited_and_given_in_order()
    {
        var id = await _host.Client.ScheduleNewOrchestrationInstanceAsync(nameof(DurableTestFunctions.Events));
        foreach (var word in (string[])["one", "two", "three", "end"])
        {
            await _host.Client.RaiseEventAsync(id, "Word", word);
        }

        Assert.Equal("one two three", (await _host.EndAsync(id)).ReadOutputAs<string>());
        await Assert.ThrowsAsync<InvalidOperationException>(() => _host.Client.RaiseEventAsync(id, "word", "late"));
    }

    [Fact]
    public async Task Waiting_for_an_event_can_time_out() =>
        Assert.Equal("timed out", (await _host.RunAsync(nameof(DurableTestFunctions.TimedEvent))).ReadOutputAs<string>());

    [Fact]
    public async Task Starting_anew_keeps_events_that_were_not_awaited()
    {
        var id = await _host.Client.ScheduleNewOrchestrationInstanceAsync(nameof(DurableTestFunctions.Counter), 0);
        foreach (var amount in (int[])[1, 2, 3, 4, 5, 6, 7, 0])
        {
            await _host.Client.RaiseEventAsync(id, "add", amount);
        }

        var ended = await _host.EndAsync(id);
        Assert.Equal(28, ended.ReadOutputAs<int>());
        var stored = await _host.Store.LoadAsync(id, CancellationToken.None);
        Assert.Equal(8, stored!.Record.Generation);
    }

    [Fact]
    public async Task Ids_and_time_are_the_same_in_every_replay()
    {
        var ended = await _host.RunAsync(nameof(DurableTestFunctions.Facts));
        Assert.True(ended.ReadOutputAs<bool>());
        Assert.Equal(1, Probe.Count(ended.InstanceId + " first"));
        Assert.Equal(1, ended.ReadCustomStatusAs<Order>()!.Count);
    }

    [Fact]
    public async Task A_replay_that_does_something_else_fails_with_what_it_did()
    {
        var ended = await _host.RunAsync(nameof(DurableTestFunctions.Random));
        Assert.Equal(OrchestrationRuntimeStatus.Failed, ended.RuntimeStatus);
        Assert.Contains("came to activity 'Note' #0 where its history has activity 'Twice' #0", ended.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Awaiting_what_is_not_durable_fails_with_a_reason()
    {
        var ended = await _host.RunAsync(nameof(DurableTestFunctions.Rogue));
        Assert.Contains("not durable", ended.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_orchestrator_throws_is_its_failure()
    {
        var ended = await _host.RunAsync(nameof(DurableTestFunctions.Throwing));
        Assert.Equal(OrchestrationRuntimeStatus.Failed, ended.RuntimeStatus);
        Assert.Equal(("System.IO.InvalidDataException", "no good"), (ended.FailureDetails!.ErrorType, ended.FailureDetails.ErrorMessage));
    }

    [Theory]
    [InlineData(29_000)]
    [InlineData(80_000)]
    [InlineData(700_000)]
    public async Task Texts_longer_than_a_column_or_a_row_come_back_whole(int length) =>
        Assert.Equal(new string('é', length), (await _host.RunAsync(nameof(DurableTestFunctions.LongText), length)).ReadOutputAs<string>());

    [Fact]
    public async Task An_id_can_be_used_again_only_after_the_instance_has_ended()
    {
        var options = new StartOrchestrationOptions(AzuriteFixture.UniqueName());
        await _host.Client.ScheduleNewOrchestrationInstanceAsync(nameof(DurableTestFunctions.Events), null, options);
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _host.Client.ScheduleNewOrchestrationInstanceAsync(nameof(DurableTestFunctions.Events), null, options));
        await _host.Client.RaiseEventAsync(options.InstanceId!, "word", "end");
        Assert.Equal("", (await _host.EndAsync(options.InstanceId!)).ReadOutputAs<string>());

        await _host.Client.ScheduleNewOrchestrationInstanceAsync(nameof(DurableTestFunctions.Chain), 1, options);
        Assert.Equal(8, (await _host.EndAsync(options.InstanceId!)).ReadOutputAs<int>());
    }

    [Fact]
    public async Task A_suspended_instance_keeps_what_reaches_it_until_it_is_resumed()
    {
        var id = await _host.Client.ScheduleNewOrchestrationInstanceAsync(nameof(DurableTestFunctions.Events));
        await Probe.UntilAsync(id, 1);
        await _host.Client.SuspendInstanceAsync(id);
        await StatusAsync(id, OrchestrationRuntimeStatus.Suspended);
        await _host.Client.RaiseEventAsync(id, "word", "kept");
        await _host.Client.RaiseEventAsync(id, "word", "end");
        await Task.Delay(200, TestContext.Current.CancellationToken);
        await StatusAsync(id, OrchestrationRuntimeStatus.Suspended);
        await _host.Client.ResumeInstanceAsync(id);
        Assert.Equal("kept", (await _host.EndAsync(id)).ReadOutputAs<string>());
    }

    [Fact]
    public async Task A_terminated_instance_has_ended_with_the_given_output_and_can_be_purged()
    {
        var key = AzuriteFixture.UniqueName();
        var id = await _host.Client.ScheduleNewOrchestrationInstanceAsync(nameof(DurableTestFunctions.Hanging), key);
        await Probe.UntilAsync(key, 1);
        Assert.Equal(0, (await _host.Client.PurgeInstanceAsync(id)).PurgedInstanceCount);
        await _host.Client.TerminateInstanceAsync(id, "enough");
        var ended = await _host.EndAsync(id);
        Assert.Equal((OrchestrationRuntimeStatus.Terminated, "enough"), (ended.RuntimeStatus, ended.ReadOutputAs<string>()));
        Assert.Equal(1, (await _host.Client.PurgeInstanceAsync(id)).PurgedInstanceCount);
        Assert.Null(await _host.Client.GetInstanceAsync(id));
    }

    [Fact]
    public async Task A_start_in_the_future_waits()
    {
        var options = new StartOrchestrationOptions(null, TimeProvider.System.GetUtcNow().AddMilliseconds(400));
        var id = await _host.Client.ScheduleNewOrchestrationInstanceAsync(nameof(DurableTestFunctions.Chain), 1, options);
        await Task.Delay(100, TestContext.Current.CancellationToken);
        await StatusAsync(id, OrchestrationRuntimeStatus.Pending);
        Assert.Equal(8, (await _host.EndAsync(id)).ReadOutputAs<int>());
    }

    private async Task StatusAsync(string id, OrchestrationRuntimeStatus status)
    {
        for (var i = 0; (await _host.Client.GetInstanceAsync(id))!.RuntimeStatus != status; i++)
        {
            Assert.True(i < 100, $"{id} did not become {status}");
            await Task.Delay(20);
        }
    }
}
