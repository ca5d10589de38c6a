using LangTrain.Contracts.Models;
using LangTrain.Core.Models.Tasks;
using LangTrain.Functions.FineTunes;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.Models;

/// <summary>Names under which the durable functions of a model task call each other; stored in histories, so never changed.</summary>
internal static class ModelTaskFunctionNames
{
    /// <summary>The orchestration; its instance id is the task's id.</summary>
    public const string Orchestration = "ModelTaskOrchestration";

    /// <summary>Hands the task to the workers.</summary>
    public const string Queue = "QueueModelTask";

    /// <summary>Moves the task on.</summary>
    public const string Settle = "SettleModelTask";
}

/// <summary>Input of the orchestration. Stored in histories.</summary>
/// <param name="Task">The task.</param>
/// <param name="SentAttempt">The attempt for which a work item was sent last, 0 before the first.</param>
public sealed record ModelTaskRun(ModelTaskRef Task, int SentAttempt = 0);

/// <summary>Input of the activities. Stored in histories.</summary>
/// <param name="Task">The task.</param>
/// <param name="SentAttempt">The attempt for which a work item was sent last.</param>
public sealed record ModelTaskInput(ModelTaskRef Task, int SentAttempt);

/// <summary>The steps of <see cref="ModelTaskOrchestration"/> that touch the world, and the sweep that starts what somebody died over. Each runs at least once, and twice does no harm.</summary>
public sealed class ModelTaskActivities(SettleModelTask settle, QueueModelTask queue, IModelTaskStore store)
{
    /// <summary>Moves the task on.</summary>
    [Function(ModelTaskFunctionNames.Settle)]
    public Task<SettledModelTask> SettleAsync([ActivityTrigger] ModelTaskInput input, CancellationToken cancellation) =>
        settle.ExecuteAsync(input.Task, input.SentAttempt, cancellation);

    /// <summary>Hands the task to the workers; gives the attempt that was sent last.</summary>
    [Function(ModelTaskFunctionNames.Queue)]
    public Task<int> QueueAsync([ActivityTrigger] ModelTaskInput input, CancellationToken cancellation) =>
        queue.ExecuteAsync(input.Task, input.SentAttempt, cancellation);

    /// <summary>Each minute: tasks without orchestration are started.</summary>
    [Function("SweepModelTasks")]
    public async Task SweepAsync([TimerTrigger("45 * * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient orchestrations, CancellationToken cancellation)
    {
        await foreach (var task in store.ListActiveAsync(cancellation))
        {
            await orchestrations.EnsureModelTaskAsync(task, cancellation);
        }
    }
}

/// <summary>Starts the orchestrations of model tasks.</summary>
internal static class ModelTaskOrchestrations
{
    /// <summary>Makes sure that a task which is not settled has its orchestration, and wakes it.</summary>
    public static async Task EnsureModelTaskAsync(this DurableTaskClient client, ModelTaskRef task, CancellationToken cancellation)
    {
        await client.EnsureStartedAsync(ModelTaskFunctionNames.Orchestration, task.TaskId, new ModelTaskRun(task), restartEnded: true, cancellation);
        await client.WakeAsync(new(task.AccountId, task.TaskId), cancellation);
    }
}
