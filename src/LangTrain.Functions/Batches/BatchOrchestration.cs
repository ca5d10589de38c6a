using LangTrain.Contracts.Batches;
using LangTrain.Core.Batches;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace LangTrain.Functions.Batches;

/// <summary>The life of a batch: check the file, answer its lines chunk by chunk, write the files of answers.</summary>
/// <remarks>
/// Replay: this method is run again from its beginning after every wait, with the results that its history holds. So it reads no clock, no storage and no
/// random number of its own, awaits only tasks of its context, and decides nothing that an activity could decide: the batch's row is the truth.
/// A change of the calls and their order must let running instances end first.
/// </remarks>
public static class BatchOrchestration
{
    // Each round adds a few rows of history; a new piece begins with none.
    private const int RoundsOfOnePiece = 100;

    // A system error (storage that does not answer) is tried again for about a quarter of an hour; a line's own error never comes here.
    private static readonly TaskOptions Retries = new(new TaskRetryOptions(
        new RetryPolicy(8, TimeSpan.FromSeconds(2), backoffCoefficient: 2.5, maxRetryInterval: TimeSpan.FromMinutes(5))));

    /// <summary>Runs one piece.</summary>
    [Function(BatchFunctionNames.Orchestration)]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var batch = context.GetInput<BatchRef>() ?? throw new InvalidOperationException("The orchestration was started without its batch.");
        try
        {
            await FollowAsync(context, batch);
        }
        catch (TaskFailedException)
        {
            // An activity is exhausted. Its details are in the log; the owner hears that it was not their fault.
            await context.CallActivityAsync(BatchFunctionNames.Fail, batch, options: Retries);
        }
    }

    private static async Task FollowAsync(TaskOrchestrationContext context, BatchRef batch)
    {
        // In a later piece this looks at the row and no more.
        if (!await context.CallActivityAsync<bool>(BatchFunctionNames.Validate, batch, options: Retries))
        {
            return;
        }

        for (var round = 0; round < RoundsOfOnePiece; round++)
        {
            var step = await context.CallActivityAsync<BatchStep>(BatchFunctionNames.RunChunk, batch, options: Retries);
            if (step.IsDone)
            {
                await context.CallActivityAsync(BatchFunctionNames.Finish, batch, options: Retries);
                return;
            }

            if (step.WaitSeconds > 0)
            {
                await context.CreateTimer(context.CurrentUtcDateTime.AddSeconds(step.WaitSeconds), CancellationToken.None);
            }
        }

        context.ContinueAsNew(batch);
    }
}
