using System.Text.Json.Serialization;

namespace LangTrain.Contracts;

/// <summary>A page of a list, as every list endpoint answers it.</summary>
/// <param name="Data">The items.</param>
/// <param name="FirstId">Id of the first item; null when there are none.</param>
/// <param name="LastId">Id of the last item, to be given as <c>after</c> for the next page; null when there are none.</param>
/// <param name="HasMore">Whether another page follows.</param>
public sealed record ListAnswer<T>(
    IReadOnlyList<T> Data,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FirstId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? LastId,
    bool HasMore)
{
    /// <summary>Always <c>list</c>.</summary>
    [JsonPropertyOrder(-1)]
    public string Object { get; init; } = "list";
}

/// <summary>Makes list answers.</summary>
public static class ListAnswer
{
    /// <summary>A page of items whose ids are read by <paramref name="id"/>.</summary>
    public static ListAnswer<T> Of<T>(IReadOnlyList<T> data, bool hasMore, Func<T, string> id)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(id);
        return new(data, data.Count == 0 ? null : id(data[0]), data.Count == 0 ? null : id(data[^1]), hasMore);
    }
}
