using LangTrain.Contracts.Errors;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Errors;

namespace LangTrain.Core.Generation;

/// <summary>What a worker's failures are to a client.</summary>
public static class WorkerErrors
{
    private static readonly TimeSpan RetrySoon = TimeSpan.FromSeconds(2);

    /// <summary>A failure that the worker described.</summary>
    public static ApiException From(GenerationFailure failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        var type = failure.Status switch
        {
            404 => ErrorTypes.NotFound,
            409 => ErrorTypes.Conflict,
            429 => ErrorTypes.RateLimit,
            503 => ErrorTypes.Unavailable,
            >= 500 => ErrorTypes.Server,
            _ => ErrorTypes.InvalidRequest,
        };
        return new ApiException(failure.Status, type, [new ApiProblem(failure.Message, failure.Code, failure.Param)])
        {
            RetryAfter = failure.RetryAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : failure.Status == 503 ? RetrySoon : null,
            ShouldRetry = failure.Status == 409 ? false : null,
        };
    }

    /// <summary>No worker answered, or it broke off.</summary>
    public static ApiException From(Exception unavailable) => ApiErrors.Unavailable(
        "No worker can answer at the moment.", RetrySoon, "worker_unavailable", unavailable);
}
