using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;

namespace LangTrain.Functions.Tests.Hosting;

/// <summary>Estimates by rule of thumb: ten tokens a row.</summary>
internal sealed class ReckoningTrainingWorker : ITrainingWorker
{
    public Task<TrainingEstimateAnswer> EstimateAsync(EstimateWorkItem item, CancellationToken cancellation = default) => Task.FromResult(new TrainingEstimateAnswer
    {
        Exact = item.Rows.Count == item.TotalRows,
        TokensPerEpoch = 10 * item.TotalRows,
        TrainedTokensPerEpoch = 5 * item.TotalRows,
        TotalTokens = 10 * item.TotalRows * item.Config.TrainingConfig.Epochs,
        TotalSteps = (int)item.TotalRows * item.Config.TrainingConfig.Epochs,
        LongestRowTokens = 10,
        OverlongRows = 0,
        TrainableParameters = 1000,
        ModelParameters = 1_000_000,
        MemoryBytes = 1 << 20,
        TrainingSeconds = 1,
    });
}
