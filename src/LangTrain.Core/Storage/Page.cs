namespace LangTrain.Core.Storage;

/// <summary>One page of a list.</summary>
/// <param name="Items">In the order asked for.</param>
/// <param name="HasMore">Whether another page follows.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, bool HasMore);

/// <summary>Which page.</summary>
/// <param name="Limit">Most items, 1 to 100.</param>
/// <param name="After">Id of the last item of the page before, or null.</param>
/// <param name="OldestFirst">Order; newest first is the default.</param>
public sealed record PageRequest(int Limit = 20, string? After = null, bool OldestFirst = false);
