using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.FineTunes;

/// <summary>The steps of <see cref="FineTuneOrchestration"/> that touch the world. Each runs at least once, and twice does no harm.</summary>
public sealed class FineTuneActivities(PrepareFineTune prepare, QueueTraining queue, SettleFineTune settle, FailFineTune fail)
{
    /// <summary>Checks the data; false when the job has ended.</summary>
    [Function(FineTuneFunctionNames.Prepare)]
    public Task<bool> PrepareAsync([ActivityTrigger] FineTuneRef job, CancellationToken cancellation) => prepare.ExecuteAsync(job, cancellation);

    /// <summary>Hands the job to the workers; gives the attempt that was sent last.</summary>
    [Function(FineTuneFunctionNames.Queue)]
    public Task<int> QueueAsync([ActivityTrigger] QueueTrainingInput input, CancellationToken cancellation) =>
        queue.ExecuteAsync(input.Job, input.SentAttempt, cancellation);

    /// <summary>Moves the job on.</summary>
    [Function(FineTuneFunctionNames.Settle)]
    public Task<SettledFineTune> SettleAsync([ActivityTrigger] SettleFineTuneInput input, CancellationToken cancellation) =>
        settle.ExecuteAsync(input.Job, input.Signal, input.SentAttempt, cancellation);

    /// <summary>Ends the job with an error of the service.</summary>
    [Function(FineTuneFunctionNames.Fail)]
    public Task FailAsync([ActivityTrigger] FailFineTuneInput input, CancellationToken cancellation) =>
        fail.ExecuteAsync(input.Job, input.Error, cancellation);
}
