using LangTrain.AzureAdapters;
using LangTrain.Contracts.Errors;
using LangTrain.Core.Errors;
using LangTrain.Core.Generation;
using Microsoft.AspNetCore.Http;

namespace LangTrain.Functions.Http;

/// <summary>What a client is told of an exception.</summary>
internal static class Failure
{
    private static readonly TimeSpan StorageRetry = TimeSpan.FromSeconds(5);

    /// <summary>The error that says as much as a client may know.</summary>
    /// <param name="thrown">What was thrown. A cancellation counts as storage that did not answer: ask first whether the client itself went away.</param>
    /// <param name="requestId">Shown where nothing else can be.</param>
    public static ApiException ToApi(Exception thrown, string requestId) => thrown switch
    {
        ApiException api => api,
        GenerationUnavailableException => WorkerErrors.From(thrown),
        GenerationFailedException failed => WorkerErrors.From(failed.Failure),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
            new ApiException(413, ErrorTypes.InvalidRequest, [new ApiProblem("The body is larger than the server allows.", "request_too_large")]),
        BadHttpRequestException bad => ApiErrors.Invalid("The request could not be read: " + bad.Message, null, "invalid_request"),
        _ when StorageOutage.Is(thrown) =>
            ApiErrors.Unavailable("Storage does not answer at the moment. What was stored is safe; try again.", StorageRetry, "storage_unavailable"),
        _ => ApiErrors.Internal(requestId),
    };
}
