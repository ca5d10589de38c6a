using LangTrain.Contracts.Batches;
using LangTrain.Core.Batches;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Batches;

/// <summary>The steps of <see cref="BatchOrchestration"/> that touch the world. Each runs at least once, and twice does no harm.</summary>
public sealed class BatchActivities(ValidateBatch validate, RunBatchChunk run, FinishBatch finish)
{
    /// <summary>Checks the input; false when the batch has ended.</summary>
    [Function(BatchFunctionNames.Validate)]
    public Task<bool> ValidateAsync([ActivityTrigger] BatchRef batch, CancellationToken cancellation) => validate.ExecuteAsync(batch, cancellation);

    /// <summary>Answers lines.</summary>
    [Function(BatchFunctionNames.RunChunk)]
    public Task<BatchStep> RunChunkAsync([ActivityTrigger] BatchRef batch, CancellationToken cancellation) => run.ExecuteAsync(batch, cancellation);

    /// <summary>Writes the files.</summary>
    [Function(BatchFunctionNames.Finish)]
    public Task FinishAsync([ActivityTrigger] BatchRef batch, CancellationToken cancellation) => finish.ExecuteAsync(batch, cancellation);

    /// <summary>Ends the batch with an error of the service.</summary>
    [Function(BatchFunctionNames.Fail)]
    public Task FailAsync([ActivityTrigger] BatchRef batch, CancellationToken cancellation) => finish.FailAsync(batch, cancellation);
}
