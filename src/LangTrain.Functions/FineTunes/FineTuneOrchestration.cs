using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace LangTrain.Functions.FineTunes;

/// <summary>The life of a fine-tune: check the data, hand it to a worker, and follow what becomes of it until it has ended.</summary>
/// <remarks>
/// Replay: this method is run again from its beginning after every wait, with the results that its history holds. So it reads no clock, no
/// storage and no random number of its own, awaits only tasks of its context, and decides nothing that an activity could decide: the job's
/// row is the truth, signals and timers only wake. A change of the calls and their order must let running instances end first.
/// </remarks>
public static class FineTuneOrchestration
{
    // Each round adds a few rows of history; a new piece begins with none.
    private const int RoundsOfOnePiece = 100;

    // A system error (storage that does not answer) is tried again for about a quarter of an hour; errors of the user never come here.
    private static readonly TaskOptions Retries = new(new TaskRetryOptions(
        new RetryPolicy(8, TimeSpan.FromSeconds(2), backoffCoefficient: 2.5, maxRetryInterval: TimeSpan.FromMinutes(5))));

    /// <summary>Runs one piece.</summary>
    [Function(FineTuneFunctionNames.Orchestration)]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var run = context.GetInput<FineTuneRun>() ?? throw new InvalidOperationException("The orchestration was started without its job.");
        try
        {
            await FollowAsync(context, run);
        }
        catch (TaskFailedException)
        {
            // An activity is exhausted. Its details are in the log; the owner hears that it was not their fault.
            var error = new JobError("internal_error", "The service could not go on with this job. Nothing is wrong with your data; try again later.");
            await context.CallActivityAsync(FineTuneFunctionNames.Fail, new FailFineTuneInput(run.Ref(), error), options: Retries);
        }
    }

    private static async Task FollowAsync(TaskOrchestrationContext context, FineTuneRun run)
    {
        var job = run.Ref();
        if (!run.IsPrepared && !await context.CallActivityAsync<bool>(FineTuneFunctionNames.Prepare, job, options: Retries))
        {
            return;
        }

        // One pending wait for a signal over all rounds: a second one would take the next signal away from the first.
        var heard = context.WaitForExternalEvent<FineTuneSignal>(FineTuneSignal.EventName);
        var (sent, signal) = (run.SentAttempt, (FineTuneSignal?)null);
        for (var round = 0; round < RoundsOfOnePiece; round++)
        {
            var settled = await context.CallActivityAsync<SettledFineTune>(
                FineTuneFunctionNames.Settle, new SettleFineTuneInput(job, signal, sent), options: Retries);
            signal = null;
            switch (settled.Step)
            {
                case FineTuneStep.Done:
                    return;

                case FineTuneStep.Queue:
                    sent = await context.CallActivityAsync<int>(FineTuneFunctionNames.Queue, new QueueTrainingInput(job, sent), options: Retries);
                    break;

                default:
                    using (var heardFirst = new CancellationTokenSource())
                    {
                        var over = context.CreateTimer(context.CurrentUtcDateTime.AddSeconds(settled.WaitSeconds), heardFirst.Token);
                        if (await Task.WhenAny(heard, over) == heard)
                        {
                            // Not CancelAsync, whose task is none of the context's.
#pragma warning disable CA1849
                            heardFirst.Cancel();
#pragma warning restore CA1849
                            signal = await heard;
                            heard = context.WaitForExternalEvent<FineTuneSignal>(FineTuneSignal.EventName);
                        }
                    }

                    break;
            }
        }

        if (signal is not null)
        {
            // Heard in the last round: settled before the next piece begins, which does not know it.
            await context.CallActivityAsync<SettledFineTune>(FineTuneFunctionNames.Settle, new SettleFineTuneInput(job, signal, sent), options: Retries);
        }

        context.ContinueAsNew(run with { IsPrepared = true, SentAttempt = sent });
    }
}
