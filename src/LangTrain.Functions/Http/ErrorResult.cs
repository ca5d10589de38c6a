using System.Globalization;
using LangTrain.Contracts;
using LangTrain.Core.Errors;
using Microsoft.AspNetCore.Http;

namespace LangTrain.Functions.Http;

/// <summary>Writes an <see cref="ApiException"/> as the answer.</summary>
internal sealed class ErrorResult(ApiException error) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        if (error.Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer realm=\"LangTrain\"";
        }

        if (error.RetryAfter is { } after)
        {
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(after.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        if (error.ShouldRetry is { } retry)
        {
            response.Headers["x-should-retry"] = retry ? "true" : "false";
        }

        if (error.Allow is { } allow)
        {
            response.Headers.Allow = allow;
        }

        return TypedResults.Json(error.ToEnvelope(), ApiJson.Wire.ErrorEnvelope, statusCode: error.Status).ExecuteAsync(httpContext);
    }
}
