using LangTrain.Core.Http;

namespace LangTrain.Functions.OpenApi;

/// <summary>A parameter of the query.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Schema">JSON Schema of its value.</param>
/// <param name="Description">What it does.</param>
internal sealed record ApiQuery(string Name, string Schema, string Description)
{
    /// <summary>Whether it is written as <c>name[key]=value</c>.</summary>
    public bool IsDeepObject { get; init; }

    /// <summary>What every list takes; see <see cref="PageQuery"/>.</summary>
    public static IReadOnlyList<ApiQuery> Page { get; } = PageOf(PageQuery.MaxLimit);

    /// <summary>The same with pages of another size.</summary>
    public static IReadOnlyList<ApiQuery> PageOf(int most) =>
    [
        new("limit", $$"""{"type":"integer","minimum":1,"maximum":{{most}} }""", "Most items of the page."),
        new("after", """{"type":"string","maxLength":256}""", "Id of the last item of the page before (`last_id`)."),
        new("order", """{"type":"string","enum":["asc","desc"],"default":"desc"}""", "By time of creation: `desc` is newest first."),
    ];

    /// <summary>A text.</summary>
    public static ApiQuery Text(string name, string description) => new(name, """{"type":"string"}""", description);

    /// <summary>One of a few words.</summary>
    public static ApiQuery OneOf(string name, string description, params IReadOnlyList<string> words) =>
        new(name, $$"""{"type":"string","enum":[{{string.Join(',', words.Select(word => $"\"{word}\""))}}]}""", description);
}
