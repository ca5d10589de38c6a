using System.Text.Json;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace LangTrain.LocalHost.Durable;

/// <summary>
/// One turn: runs the orchestrator from its beginning, gives it all that its history holds and checks that it asks for the same again,
/// then gives it what is new. Synchronous, on the caller's thread.
/// </summary>
internal static class OrchestratorRun
{
    /// <summary>Runs a turn.</summary>
    /// <param name="record">The instance.</param>
    /// <param name="past">Its history.</param>
    /// <param name="at">Time of this turn.</param>
    /// <param name="received">What is new.</param>
    /// <param name="function">Calls the orchestrator function.</param>
    /// <param name="json">How inputs and results are written.</param>
    /// <param name="loggers">For the orchestrator's own log.</param>
    public static TurnOutcome Execute(
        InstanceRecord record,
        IReadOnlyList<HistoryTurn> past,
        DateTime at,
        IReadOnlyList<DurableMessage> received,
        Func<TaskOrchestrationContext, Task<object?>> function,
        JsonSerializerOptions json,
        ILoggerFactory loggers)
    {
        var thread = new OrchestratorThread();
        var context = new LocalOrchestrationContext(record, thread, json, loggers);
        Task<object?>? running = null;
        try
        {
            foreach (var (turn, number) in past.Select((turn, index) => (turn, index + 1)))
            {
                var (scheduled, _) = Give(context, thread, turn.At, turn.Received, isReplaying: true, function, ref running);
                Compare(record, number, turn.Scheduled, scheduled, running);
            }

            var (asked, cancelled) = Give(context, thread, at, received, isReplaying: false, function, ref running);
            var outcome = new TurnOutcome
            {
                Turn = new HistoryTurn { At = at, Received = received, Scheduled = asked, Cancelled = cancelled },
                CustomStatus = context.CustomStatus,
            };
            return running is { IsCompleted: true } ? Ended(outcome, context, running, json) : Waiting(outcome, context, record);
        }
        catch (NonDeterministicOrchestrationException wrong)
        {
            return new TurnOutcome
            {
                Turn = new HistoryTurn { At = at, Received = received },
                CustomStatus = record.CustomStatus,
                IsEnded = true,
                Failure = TaskFailureDetails.FromException(wrong),
                Thrown = wrong,
            };
        }
        finally
        {
            thread.End();
        }
    }

    private static (IReadOnlyList<ScheduledTask> Scheduled, IReadOnlyList<int> Cancelled) Give(
        LocalOrchestrationContext context,
        OrchestratorThread thread,
        DateTime at,
        IReadOnlyList<DurableMessage> received,
        bool isReplaying,
        Func<TaskOrchestrationContext, Task<object?>> function,
        ref Task<object?>? running)
    {
        context.BeginTurn(at, isReplaying);
        foreach (var message in received)
        {
            Task<object?>? started = null;
            thread.Run(() =>
            {
                if (message.Kind == DurableMessageKind.Start)
                {
                    foreach (var carried in message.Carried ?? [])
                    {
                        context.Handle(carried);
                    }

                    started = function(context);
                }
                else
                {
                    context.Handle(message);
                }
            });
            running ??= started;
        }

        return context.EndTurn();
    }

    private static void Compare(
        InstanceRecord record, int turn, IReadOnlyList<ScheduledTask> stored, IReadOnlyList<ScheduledTask> repeated, Task? running)
    {
        var difference = stored.Zip(repeated).FirstOrDefault(pair => !pair.First.Repeats(pair.Second));
        var (was, now) = difference switch
        {
            ({ } first, { } second) => (first.ToString(), second.ToString()),
            _ when stored.Count > repeated.Count => (stored[repeated.Count].ToString(), "nothing"),
            _ when stored.Count < repeated.Count => ("nothing", repeated[stored.Count].ToString()),
            _ when running is { IsCompleted: true } => ("a wait", "its end"),
            _ => ("", ""),
        };
        if (was != now)
        {
            throw new NonDeterministicOrchestrationException(
                $"In the replay of turn {turn}, '{record.Name}' came to {now} where its history has {was}. An orchestrator must do the same in every replay: "
                + "take time, ids and randomness from its context, and do not change its code while instances run.");
        }
    }

    private static TurnOutcome Waiting(TurnOutcome outcome, LocalOrchestrationContext context, InstanceRecord record)
    {
        if (context.IsWaiting)
        {
            return outcome;
        }

        var wrong = new InvalidOperationException(
            $"'{record.Name}' waits for something that is not durable. An orchestrator may await only what its context gives.");
        return outcome with { IsEnded = true, Failure = TaskFailureDetails.FromException(wrong), Thrown = wrong };
    }

    private static TurnOutcome Ended(TurnOutcome outcome, LocalOrchestrationContext context, Task<object?> ended, JsonSerializerOptions json)
    {
        try
        {
            var output = ended.GetAwaiter().GetResult();
            return context.StartsAnew
                ? outcome with { Restart = (context.StartAnew(), context.NextInput) }
                : outcome with { IsEnded = true, Output = output is null ? null : JsonSerializer.Serialize(output, output.GetType(), json) };
        }
        catch (Exception thrown)
        {
            return outcome with { IsEnded = true, Failure = TaskFailureDetails.FromException(thrown), Thrown = thrown };
        }
    }
}
