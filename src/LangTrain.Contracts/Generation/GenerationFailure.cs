namespace LangTrain.Contracts.Generation;

/// <summary>Why a worker could not answer.</summary>
/// <param name="Status">HTTP status that fits: 400, 404, 409, 500 or 503.</param>
/// <param name="Code">Stable code: <c>context_length_exceeded</c>, <c>model_not_ready</c>, <c>overloaded</c>, …</param>
/// <param name="Message">For the client; nothing internal.</param>
/// <param name="Param">Name of the parameter at fault, or null.</param>
/// <param name="RetryAfterSeconds">With 503.</param>
public sealed record GenerationFailure(int Status, string Code, string Message, string? Param = null, int? RetryAfterSeconds = null);
