namespace LangTrain.Contracts.FineTunes;

/// <summary>Why a job failed: a stable code and a sentence for its owner, with nothing internal in it.</summary>
/// <param name="Code">Stable, snake_case: <c>dataset_invalid</c>, <c>training_diverged</c>, <c>out_of_memory</c>, <c>worker_lost</c>, <c>internal_error</c>, …</param>
/// <param name="Message">For the owner.</param>
public sealed record JobError(string Code, string Message);
