using System.Globalization;
using LangTrain.Contracts.Errors;

namespace LangTrain.Core.Errors;

/// <summary>Makes every error that the API answers with.</summary>
public static class ApiErrors
{
    /// <summary>400: one value is wrong.</summary>
    public static ApiException Invalid(string message, string? param, string code = "invalid_value") => Invalid([new ApiProblem(message, code, param)]);

    /// <summary>400: several values are wrong.</summary>
    public static ApiException Invalid(IReadOnlyList<ApiProblem> problems) => new(400, ErrorTypes.InvalidRequest, problems);

    /// <summary>400: there is no body where one is needed.</summary>
    public static ApiException MissingBody() => Invalid("The body is empty; a JSON object is expected.", null, "invalid_json");

    /// <summary>401. The answer carries <c>WWW-Authenticate</c>.</summary>
    public static ApiException Unauthorized(string code, string message) => One(401, ErrorTypes.Authentication, code, message);

    /// <summary>403: the key lacks a scope.</summary>
    public static ApiException MissingScope(string scope) => One(
        403, ErrorTypes.Permission, "missing_scope", $"This API key does not have the scope '{scope}' that the call needs.");

    /// <summary>403: the account may not, whatever its keys are.</summary>
    public static ApiException Forbidden(string code, string message) => One(403, ErrorTypes.Permission, code, message);

    /// <summary>404, for what does not exist and for what belongs to somebody else alike.</summary>
    /// <param name="kind">Snake_case: <c>model</c>, <c>file</c>, <c>fine_tune</c>; makes the code <c>model_not_found</c>.</param>
    /// <param name="id">Id that was asked for.</param>
    /// <param name="param">Where the id stood in the request, or null for the path.</param>
    public static ApiException NotFound(string kind, string id, string? param = null)
    {
        ArgumentNullException.ThrowIfNull(kind);
        return One(404, ErrorTypes.NotFound, kind + "_not_found", $"There is no {kind.Replace('_', ' ')} '{Shorten(id)}' that this key may use.", param);
    }

    /// <summary>404: no such path.</summary>
    public static ApiException UnknownPath(string method, string path) => One(
        404, ErrorTypes.NotFound, "unknown_url", $"There is nothing at {method} {Shorten(path)}.");

    /// <summary>405.</summary>
    public static ApiException MethodNotAllowed(string method, string path, string allow) => new(
        405, ErrorTypes.InvalidRequest, [new ApiProblem($"{Shorten(path)} does not know the method {method}; it knows {allow}.", "method_not_allowed")]) { Allow = allow };

    /// <summary>409.</summary>
    /// <param name="code">Stable code.</param>
    /// <param name="message">For people.</param>
    /// <param name="shouldRetry">False when the conflict is for good; null says nothing.</param>
    /// <param name="param">Path of the value at fault, or null.</param>
    public static ApiException Conflict(string code, string message, bool? shouldRetry = false, string? param = null) => new(
        409, ErrorTypes.Conflict, [new ApiProblem(message, code, param)]) { ShouldRetry = shouldRetry };

    /// <summary>413.</summary>
    public static ApiException TooLarge(string what, long allowedBytes, string? param = null) => One(
        413, ErrorTypes.InvalidRequest, "request_too_large", string.Create(CultureInfo.InvariantCulture, $"{what} is larger than the allowed {allowedBytes:N0} bytes."), param);

    /// <summary>415.</summary>
    public static ApiException UnsupportedMediaType(string message, string? param = null) => One(
        415, ErrorTypes.InvalidRequest, "unsupported_media_type", message, param);

    /// <summary>422: well-formed, but not to be done.</summary>
    public static ApiException Unprocessable(string code, string message, string? param = null) => One(422, ErrorTypes.InvalidRequest, code, message, param);

    /// <summary>429 of the minute (<c>rate_limit_exceeded</c>) or of the day (<c>daily_quota_exceeded</c>).</summary>
    public static ApiException RateLimited(bool daily, string message, TimeSpan retryAfter) => new(
        429,
        daily ? ErrorTypes.InsufficientQuota : ErrorTypes.RateLimit,
        [new ApiProblem(message, daily ? "daily_quota_exceeded" : "rate_limit_exceeded")]) { RetryAfter = retryAfter };

    /// <summary>500: says the request's id and nothing else.</summary>
    public static ApiException Internal(string requestId) => One(
        500, ErrorTypes.Server, "internal_error", $"The server failed to answer. If it goes on, report the request id {requestId}.");

    /// <summary>503.</summary>
    public static ApiException Unavailable(string message, TimeSpan retryAfter, string code = "service_unavailable", Exception? inner = null) => new(
        503, ErrorTypes.Unavailable, [new ApiProblem(message, code)], inner) { RetryAfter = retryAfter };

    /// <summary>What a client sent, as it may stand in a message: never pages of it.</summary>
    public static string Shorten(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length <= 128 ? text : string.Concat(text.AsSpan(0, 125), "...");
    }

    private static ApiException One(int status, string type, string code, string message, string? param = null) =>
        new(status, type, [new ApiProblem(message, code, param)]);
}
