namespace LangTrain.Contracts.Errors;

/// <summary>Values of <see cref="ErrorBody.Type"/>.</summary>
public static class ErrorTypes
{
    /// <summary>400, 405, 413, 415, 422: the request as it stands can never succeed.</summary>
    public const string InvalidRequest = "invalid_request_error";

    /// <summary>401.</summary>
    public const string Authentication = "authentication_error";

    /// <summary>403.</summary>
    public const string Permission = "permission_error";

    /// <summary>404.</summary>
    public const string NotFound = "not_found_error";

    /// <summary>409.</summary>
    public const string Conflict = "conflict_error";

    /// <summary>429 of the minute.</summary>
    public const string RateLimit = "rate_limit_error";

    /// <summary>429 of the day.</summary>
    public const string InsufficientQuota = "insufficient_quota";

    /// <summary>500.</summary>
    public const string Server = "server_error";

    /// <summary>503.</summary>
    public const string Unavailable = "service_unavailable";
}
