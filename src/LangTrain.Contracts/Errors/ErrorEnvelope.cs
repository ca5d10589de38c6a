using System.Text.Json.Serialization;

namespace LangTrain.Contracts.Errors;

/// <summary>Body of every answer that is not a success, and of an error inside a stream.</summary>
/// <param name="Error">What went wrong.</param>
public sealed record ErrorEnvelope(ErrorBody Error);

/// <summary>What went wrong. The four fields are always written; <c>param</c> is null where nothing fits.</summary>
/// <param name="Message">For people: what was given, what is allowed, and where.</param>
/// <param name="Type">Class of the error, one of <see cref="ErrorTypes"/>.</param>
/// <param name="Param">Path of the value at fault (<c>config.lora_config.r</c>), of the first problem where there are several.</param>
/// <param name="Code">Stable word for programs.</param>
/// <param name="Errors">Every problem of the request, where there are several.</param>
public sealed record ErrorBody(
    string Message,
    string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Code,
    IReadOnlyList<ErrorDetail>? Errors = null);

/// <summary>One of several problems of one request.</summary>
/// <param name="Message">For people.</param>
/// <param name="Param">Path of the value at fault, or null.</param>
/// <param name="Code">Stable word for programs.</param>
public sealed record ErrorDetail(string Message, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param, string Code);
