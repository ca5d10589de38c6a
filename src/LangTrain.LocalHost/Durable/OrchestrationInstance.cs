using System.Threading.Channels;
using Microsoft.DurableTask.Client;

namespace LangTrain.LocalHost.Durable;

/// <summary>
/// An orchestration that has not ended, in this process: its stored state in memory, its inbox, its open activities and timers.
/// Turns and messages are serial behind one gate, so memory and storage change in the same order. Whatever goes wrong with storage,
/// the state in memory is thrown away and loaded again.
/// </summary>
internal sealed class OrchestrationInstance(string instanceId, DurableRuntime runtime) : IDisposable
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);

    private readonly SemaphoreSlim _gate = new(1);
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly HashSet<(int Generation, int TaskId)> _calls = [];
    private readonly HashSet<(int Generation, int TaskId)> _timers = [];
    private StoredInstance? _stored;
    private List<HistoryTurn> _turns = [];
    private List<InboxEntry> _inbox = [];
    private long _lastMessage;

    public string InstanceId => instanceId;

    public void Dispose() => _gate.Dispose();

    /// <summary>Stores a message for the orchestration and wakes it.</summary>
    /// <returns>False where the orchestration has ended.</returns>
    public async Task<bool> AppendAsync(DurableMessage message, CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation);
        try
        {
            if (await EnsureLoadedAsync(cancellation) is not { IsEnded: false } record)
            {
                return false;
            }

            if (message.Generation is { } generation && generation != record.Generation)
            {
                // An answer to an earlier generation: nobody waits for it any more.
                return true;
            }

            _lastMessage = Math.Max(_lastMessage + 1, runtime.Time.GetUtcNow().UtcTicks);
            var entry = new InboxEntry(DurableKeys.Message(_lastMessage), message);
            runtime.Points.Reach(CommitPoint.BeforeMessage, instanceId);
            await runtime.Store.AppendAsync(instanceId, entry.RowKey!, message, cancellation);
            runtime.Points.Reach(CommitPoint.AfterMessage, instanceId);
            _inbox.Add(entry);
        }
        catch
        {
            // Whether it is stored is unknown now; loading it again tells.
            _stored = null;
            throw;
        }
        finally
        {
            _gate.Release();
            Wake();
        }

        return true;
    }

    /// <summary>Runs turns until the orchestration has ended or the host stops.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        var pause = TimeSpan.FromMilliseconds(50);
        Wake();
        while (true)
        {
            await _wake.Reader.ReadAsync(stopping);
            try
            {
                while (await TurnAsync(stopping) is { } more)
                {
                    if (!more)
                    {
                        return;
                    }
                }

                pause = TimeSpan.FromMilliseconds(50);
            }
            catch (Exception failure) when (!stopping.IsCancellationRequested)
            {
                runtime.Logger.InstanceReloads(failure, instanceId);
                await Task.Delay(pause, runtime.Time, stopping);
                pause = pause < TimeSpan.FromSeconds(5) ? pause * 2 : pause;
                _stored = null;
                Wake();
            }
        }
    }

    /// <summary>Makes sure that the orchestration looks at its inbox.</summary>
    public void Wake() => _wake.Writer.TryWrite(true);

    /// <summary>One turn. True: there may be more to do; false: it has ended; null: nothing to do now.</summary>
    private async Task<bool?> TurnAsync(CancellationToken stopping)
    {
        await _gate.WaitAsync(stopping);
        try
        {
            if (await EnsureLoadedAsync(stopping) is not { IsEnded: false } record)
            {
                return false;
            }

            var plan = TurnPlan.Of(record, _inbox, runtime.Time.GetUtcNow());
            if (plan.IsEmpty)
            {
                ArmStart(record, stopping);
                return null;
            }

            var committed = await CommitAsync(record, plan, stopping);
            return !committed.IsEnded;
        }
        catch
        {
            _stored = null;
            throw;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<InstanceRecord> CommitAsync(InstanceRecord record, TurnPlan plan, CancellationToken stopping)
    {
        var now = runtime.Time.GetUtcNow();
        var next = plan.NextRecord(record, now);
        TurnOutcome? outcome = null;
        if (plan.Received.Count > 0 && !next.IsEnded)
        {
            outcome = await runtime.RunTurnAsync(record, _turns, now.UtcDateTime, plan.Received, stopping);
            next = WithOutcome(next, outcome);
        }

        runtime.Points.Reach(CommitPoint.BeforeTurn, instanceId);
        var turn = outcome is null || outcome.Restart is not null ? ((int, HistoryTurn)?)null : (_turns.Count, outcome.Turn);
        var committed = await runtime.Store.CommitAsync(
            next, turn, outcome?.Restart?.Start, plan.Handled.Select(entry => entry.RowKey).OfType<string>(), stopping);
        runtime.Points.Reach(CommitPoint.AfterTurn, instanceId);

        _inbox.RemoveAll(plan.Handled.Contains);
        _stored = _stored! with { Record = committed };
        if (outcome?.Thrown is { } thrown)
        {
            runtime.Logger.OrchestrationFailed(thrown, instanceId, record.Name);
        }

        if (outcome?.Restart is { } restart)
        {
            _turns = [];
            _inbox.Insert(0, new InboxEntry(DurableKeys.StartMessage, restart.Start));
            // What is left of the generations before is out of use; a crash before this leaves it to the next one.
            await runtime.Store.DeleteEarlierTurnsAsync(instanceId, committed.Generation, stopping);
        }
        else if (outcome is not null)
        {
            _turns.Add(outcome.Turn);
            StartOpenTasks(committed, stopping);
        }

        return committed;
    }

    private static InstanceRecord WithOutcome(InstanceRecord record, TurnOutcome outcome)
    {
        var next = record with { CustomStatus = outcome.CustomStatus };
        return outcome switch
        {
            { Restart: { } restart } => next with { Generation = record.Generation + 1, Input = restart.Input, Status = OrchestrationRuntimeStatus.Running },
            { IsEnded: true, Failure: { } failure } => next with { Status = OrchestrationRuntimeStatus.Failed, Failure = failure },
            { IsEnded: true } => next with { Status = OrchestrationRuntimeStatus.Completed, Output = outcome.Output },
            _ => next,
        };
    }

    private async Task<InstanceRecord?> EnsureLoadedAsync(CancellationToken cancellation)
    {
        if (_stored is not null)
        {
            return _stored.Record;
        }

        _stored = await runtime.Store.LoadAsync(instanceId, cancellation);
        if (_stored is null)
        {
            return null;
        }

        _turns = [.. _stored.Turns];
        _inbox = [.. _stored.Inbox];
        _lastMessage = Math.Max(_lastMessage, _inbox.Select(entry => DurableKeys.Number(entry.RowKey!)).DefaultIfEmpty().Max());
        if (!_stored.Record.IsEnded)
        {
            StartOpenTasks(_stored.Record, runtime.Stopping);
        }

        return _stored.Record;
    }

    // Calls what the history asks for and has no answer to, whether it was asked for just now or before a crash.
    private void StartOpenTasks(InstanceRecord record, CancellationToken stopping)
    {
        var answered = _turns.SelectMany(turn => turn.Received).Concat(_inbox.Select(entry => entry.Message))
            .Where(message => message.Generation == record.Generation).Select(message => message.TaskId)
            .Concat(_turns.SelectMany(turn => turn.Cancelled))
            .ToHashSet();
        foreach (var task in _turns.SelectMany(turn => turn.Scheduled).Where(task => !answered.Contains(task.Id)))
        {
            var key = (record.Generation, task.Id);
            if (task.Activity is not null && _calls.Add(key))
            {
                _ = CallAsync(record, task, stopping);
            }
            else if (task.Activity is null && _timers.Add(key))
            {
                _ = FireAsync(record.Generation, task, stopping);
            }
        }
    }

    private async Task CallAsync(InstanceRecord record, ScheduledTask task, CancellationToken stopping)
    {
        await Task.Yield();
        try
        {
            await runtime.Activities.CallAsync(this, record.Generation, task, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The next start calls it again.
        }
    }

    private async Task FireAsync(int generation, ScheduledTask timer, CancellationToken stopping)
    {
        try
        {
            await DelayUntilAsync(new DateTimeOffset(DateTime.SpecifyKind(timer.FireAt, DateTimeKind.Utc)), stopping);
            await _gate.WaitAsync(stopping);
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
        {
            return;
        }

        try
        {
            _timers.Remove((generation, timer.Id));
            var isOpen = _stored is { Record.IsEnded: false } stored && stored.Record.Generation == generation
                && !_turns.Exists(turn => turn.Cancelled.Contains(timer.Id));
            if (isOpen)
            {
                _inbox.Add(new InboxEntry(null, new DurableMessage { Kind = DurableMessageKind.TimerFired, Generation = generation, TaskId = timer.Id }));
            }
        }
        finally
        {
            _gate.Release();
            Wake();
        }
    }

    private void ArmStart(InstanceRecord record, CancellationToken stopping)
    {
        // Task 0 of generation -1 stands for the start itself.
        if (record.Status == OrchestrationRuntimeStatus.Pending && record.StartAt > runtime.Time.GetUtcNow() && _timers.Add((-1, 0)))
        {
            _ = WakeAtAsync(record.StartAt.Value, stopping);
        }
    }

    private async Task WakeAtAsync(DateTimeOffset at, CancellationToken stopping)
    {
        await DelayUntilAsync(at, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Wake();
    }

    private async Task DelayUntilAsync(DateTimeOffset at, CancellationToken stopping)
    {
        while (at - runtime.Time.GetUtcNow() is var left && left > TimeSpan.Zero)
        {
            // A timer of the system fires up to a millisecond early.
            await Task.Delay(left < LongestDelay ? left + TimeSpan.FromMilliseconds(1) : LongestDelay, runtime.Time, stopping);
        }
    }
}
