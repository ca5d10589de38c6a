using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Generation;

namespace LangTrain.Core.FineTunes;

/// <summary>What workers answer about training without a job; jobs go through the queue. Thread-safe.</summary>
public interface ITrainingWorker
{
    /// <summary>Reckons what a fine-tune would take.</summary>
    /// <exception cref="GenerationUnavailableException">No worker answers.</exception>
    /// <exception cref="GenerationFailedException">The worker says why not: rows that the model's template refuses, a model that it does not know.</exception>
    Task<TrainingEstimateAnswer> EstimateAsync(EstimateWorkItem item, CancellationToken cancellation = default);
}
