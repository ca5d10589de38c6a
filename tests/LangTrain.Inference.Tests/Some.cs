namespace LangTrain.Inference.Tests;

/// <summary>Builders and readers that the tests share.</summary>
internal static class Some
{
    public static GenerationRequest Request(IReadOnlyList<int> prompt, int? maxNewTokens) =>
        new() { PromptTokens = prompt, MaxNewTokens = maxNewTokens, Sampling = SamplingOptions.Greedy };

    public static async Task<List<int>> IdsAsync(this IAsyncEnumerable<GeneratedToken> tokens) => [.. (await tokens.ListAsync()).Select(t => t.TokenId)];

    public static async Task<List<T>> ListAsync<T>(this IAsyncEnumerable<T> items)
    {
        var list = new List<T>();
        await foreach (var item in items)
            list.Add(item);
        return list;
    }
}
