using LangTrain.Contracts.Generation;

namespace LangTrain.Core.Generation;

/// <summary>The workers that generate. Thread-safe.</summary>
public interface IGenerationWorker
{
    /// <summary>Generates; the stream ends after a <c>usage</c> or an <c>error</c> update. Breaking off the enumeration stops the work within a step.</summary>
    /// <exception cref="GenerationUnavailableException">No worker answers, or the stream broke off.</exception>
    IAsyncEnumerable<GenerationUpdate> GenerateAsync(GenerateWorkItem item, CancellationToken cancellation = default);

    /// <summary>Counts, encodes or decodes.</summary>
    /// <exception cref="GenerationUnavailableException">No worker answers.</exception>
    /// <exception cref="GenerationFailedException">The worker says why not.</exception>
    Task<TokenizeResult> TokenizeAsync(TokenizeWorkItem item, CancellationToken cancellation = default);

    /// <summary>Shows rows of training data as tokens.</summary>
    /// <exception cref="GenerationUnavailableException">No worker answers.</exception>
    /// <exception cref="GenerationFailedException">The worker says why not.</exception>
    Task<PreviewResult> PreviewAsync(PreviewWorkItem item, CancellationToken cancellation = default);
}

/// <summary>No worker can be reached, or it went away in the middle.</summary>
public sealed class GenerationUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A worker said why it cannot answer.</summary>
public sealed class GenerationFailedException(GenerationFailure failure) : Exception(failure.Message)
{
    /// <summary>What it said.</summary>
    public GenerationFailure Failure { get; } = failure;
}
