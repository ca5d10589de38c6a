using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Models.Tasks;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace LangTrain.Functions.Models;

/// <summary>The life of a model task: hand it to a worker, and follow what becomes of it until its consequences are drawn.</summary>
/// <remarks>
/// Replay: this method is run again from its beginning after every wait. It reads nothing but its history and awaits nothing but tasks of its
/// context; the task's row is the truth, signals and timers only wake. A change of the calls and their order must let running instances end first.
/// </remarks>
public static class ModelTaskOrchestration
{
    // Each round adds a few rows of history; a new piece begins with none.
    private const int RoundsOfOnePiece = 100;

    // Storage that does not answer is tried again for some hours: nobody else draws the consequences, and the sweep starts it anew after that.
    private static readonly TaskOptions Retries = new(new TaskRetryOptions(
        new RetryPolicy(20, TimeSpan.FromSeconds(2), backoffCoefficient: 2.5, maxRetryInterval: TimeSpan.FromMinutes(10))));

    /// <summary>Runs one piece.</summary>
    [Function(ModelTaskFunctionNames.Orchestration)]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var run = context.GetInput<ModelTaskRun>() ?? throw new InvalidOperationException("The orchestration was started without its task.");
        // One pending wait for a signal over all rounds: a second one would take the next signal away from the first.
        var heard = context.WaitForExternalEvent<FineTuneSignal>(FineTuneSignal.EventName);
        var sent = run.SentAttempt;
        for (var round = 0; round < RoundsOfOnePiece; round++)
        {
            var settled = await context.CallActivityAsync<SettledModelTask>(ModelTaskFunctionNames.Settle, new ModelTaskInput(run.Task, sent), options: Retries);
            switch (settled.Step)
            {
                case ModelTaskStep.Done:
                    return;

                case ModelTaskStep.Queue:
                    sent = await context.CallActivityAsync<int>(ModelTaskFunctionNames.Queue, new ModelTaskInput(run.Task, sent), options: Retries);
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
                            heard = context.WaitForExternalEvent<FineTuneSignal>(FineTuneSignal.EventName);
                        }
                    }

                    break;
            }
        }

        context.ContinueAsNew(run with { SentAttempt = sent });
    }
}
