using System.Text.Json.Serialization.Metadata;
using LangTrain.Functions.Http;

namespace LangTrain.Functions.OpenApi;

/// <summary>What one method of one route is for, takes and answers: its part of the API's description. Stands beside the functions of its feature.</summary>
/// <param name="Method">GET, POST, …</param>
/// <param name="Route">Route as on the function's trigger.</param>
/// <param name="Id">Name of the function.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="Answer">What a success answers.</param>
internal sealed record ApiOperation(string Method, string Route, string Id, string Summary, ApiAnswer Answer)
{
    /// <summary>More than the summary says, Markdown; null where there is no more.</summary>
    public string? Description { get; init; }

    /// <summary>Scope that the key needs; null where any key will do.</summary>
    public string? Scope { get; init; }

    /// <summary>Parameters of the query.</summary>
    public IReadOnlyList<ApiQuery> Query { get; init; } = [];

    /// <summary>The body, or null.</summary>
    public ApiBody? Body { get; init; }

    /// <summary>Whether an <c>Idempotency-Key</c> is honoured.</summary>
    public bool IsIdempotent { get; init; }

    /// <summary>Error statuses besides those that follow from the rest (400, 401, 403, 404, 413, 415, 429, 500, 503).</summary>
    public IReadOnlyList<int> Errors { get; init; } = [];

    /// <summary>The record of 200 with the together-ai client, where everybody else gets no body at all; null elsewhere.</summary>
    public JsonTypeInfo? AlsoTogether { get; init; }

    /// <summary>What it redirects to where it does so instead of its answer; null where it never does.</summary>
    public string? Redirects { get; init; }

    /// <summary>Answers a request with the header Range by that part of the bytes: 206, or 416.</summary>
    public bool GivesRanges { get; init; }

    /// <summary>Whether it needs no key.</summary>
    public bool IsOpen => FunctionNames.Open.Contains(Id);

    /// <summary>What follows where the route ends in a catch-all and the function looks at its end (<c>/files</c> behind a model's id); empty elsewhere.</summary>
    public string Tail { get; init; } = "";

    /// <summary>Name in the description: the function's, or another where one function has several operations.</summary>
    public string OperationId { get; init; } = Id;

    /// <summary>Path as OpenAPI writes it: no leading star in a parameter.</summary>
    public string Path => "/" + Route.Replace("{*", "{", StringComparison.Ordinal) + Tail;

    /// <summary>Every status that an error of it may have, in order.</summary>
    public IReadOnlyList<int> ErrorStatuses()
    {
        var statuses = new SortedSet<int>(Errors) { 500, 503 };
        if (GivesRanges)
        {
            statuses.Add(416);
        }

        if (!IsOpen)
        {
            // 403 also where any key will do: its account may be suspended.
            statuses.UnionWith([401, 403, 429]);
        }

        if (Route.Contains('{', StringComparison.Ordinal))
        {
            statuses.Add(404);
        }

        if (Query.Count > 0)
        {
            statuses.Add(400);
        }

        if (Body is not null)
        {
            statuses.UnionWith([400, 413, 415]);
        }

        if (IsIdempotent)
        {
            statuses.UnionWith([400, 409, 422]);
        }

        return [.. statuses];
    }
}

/// <summary>The operations of one feature.</summary>
/// <param name="Name">Name of the group, as documentation shows it.</param>
/// <param name="Description">A sentence or two.</param>
/// <param name="Operations">The operations, in reading order.</param>
internal sealed record ApiTag(string Name, string Description, params IReadOnlyList<ApiOperation> Operations);
