using System.Globalization;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Http;

/// <summary>Reads <c>?limit&amp;after&amp;order</c>, the query of every list.</summary>
public static class PageQuery
{
    /// <summary>Most items of a page.</summary>
    public const int MaxLimit = 100;

    /// <summary>Most files of a page, and as many as one has where the query does not say: OpenAI's clients show the first page as all there is.</summary>
    public const int MaxFiles = 10_000;

    /// <summary>Reads a query.</summary>
    /// <param name="query">Gives a parameter's value, or null.</param>
    /// <param name="defaultLimit">Items of a page where the query does not say.</param>
    /// <param name="maxLimit">Most items of a page.</param>
    /// <exception cref="ApiException">400.</exception>
    public static PageRequest FromRequest(Func<string, string?> query, int defaultLimit = 20, int maxLimit = MaxLimit)
    {
        ArgumentNullException.ThrowIfNull(query);
        var problems = new RequestProblems();
        var limit = defaultLimit;
        if (query("limit") is { } text
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit < 1 || limit > maxLimit))
        {
            problems.Add("limit", $"limit must be a whole number from 1 to {maxLimit}, not '{ApiErrors.Shorten(text)}'.");
        }

        var order = query("order") ?? "desc";
        if (order is not ("asc" or "desc"))
        {
            problems.Add("order", $"order must be 'asc' or 'desc', not '{ApiErrors.Shorten(order)}'.");
        }

        var after = query("after");
        if (after is { Length: > 256 })
        {
            problems.Add("after", "after must be the id of an item.");
        }

        problems.ThrowIfAny();
        return new PageRequest(limit, string.IsNullOrEmpty(after) ? null : after, order == "asc");
    }
}
