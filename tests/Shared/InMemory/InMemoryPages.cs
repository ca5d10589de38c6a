using LangTrain.Core;
using LangTrain.Core.Storage;

namespace LangTrain.Testing;

/// <summary>Pages by key, as the table stores cut them: the item named by <c>After</c> need not be there any more.</summary>
internal static class InMemoryPages
{
    public static Page<T> Take<T>(IEnumerable<T> items, Func<T, string> id, PageRequest page)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(page.Limit, 1);
        Func<string, string> key = page.OldestFirst ? static id => id : Ids.NewestFirst;
        var after = page.After is null ? null : key(page.After);
        var found = items
            .Where(item => after is null || string.CompareOrdinal(key(id(item)), after) > 0)
            .OrderBy(item => key(id(item)), StringComparer.Ordinal)
            .Take(page.Limit + 1)
            .ToList();
        return new Page<T>([.. found.Take(page.Limit)], found.Count > page.Limit);
    }
}
