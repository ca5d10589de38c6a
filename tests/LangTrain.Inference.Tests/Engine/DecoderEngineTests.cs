using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Inference.Tests.Engine;

/// <summary>The engine over a real network: what a row generates depends on its own tokens and adapter alone.</summary>
[Collection(TensorCounts.Name)]
public sealed class DecoderEngineTests : IDisposable
{
    private readonly DecoderModel _model = Some.TinyModel();

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task Cached_and_chunked_decoding_equals_full_forwards()
    {
        int[] prompt = [.. Enumerable.Range(0, 37).Select(i => i * 7 % Some.TinyVocabulary)];
        var expected = Greedy(prompt, 30, null);
        foreach (var chunk in new[] { 1, 5, 16, 512 })
        {
            await using var engine = new GenerationEngine(_model, new EngineOptions { IdlePrefillChunkTokens = chunk, PrefillChunkTokens = chunk });
            Assert.Equal(expected, await engine.Submit(Some.Request(prompt, 30)).ReadAllAsync().IdsAsync());
        }
        Assert.True(expected.Distinct().Count() > 5, "the text is not one token over and over");
    }

    [Fact]
    public async Task A_mixed_batch_gives_each_row_what_it_gets_alone()
    {
        using var first = Some.Adapter(_model, 4, 1, LoraOptions.AllLinear);
        using var second = Some.Adapter(_model, 2, 2, "q_proj", "v_proj");
        LoraAdapter?[] adapters = [first, null, second, first, null, second, first];
        await using var engine = new GenerationEngine(_model, new EngineOptions { MaxRows = 5, PrefillChunkTokens = 4, IdlePrefillChunkTokens = 6 });
        var requests = adapters.Select((adapter, i) =>
            Some.Request([.. Enumerable.Range(3, 2 + 5 * i % 13)], 12 + i) with { Adapter = adapter }).ToList();
        var texts = await Task.WhenAll(engine.Submit(requests).Select(s => s.ReadAllAsync().IdsAsync()));
        for (var i = 0; i < requests.Count; i++)
            Assert.Equal(Greedy(requests[i].PromptTokens, 12 + i, adapters[i]), texts[i]);
        Assert.NotEqual(Greedy([3, 4, 5], 10, null), Greedy([3, 4, 5], 10, first));
    }

    [Fact]
    public async Task Rows_that_leave_holes_between_slots_do_not_disturb_the_others()
    {
        await using var engine = new GenerationEngine(_model, new EngineOptions { MaxRows = 6 });
        // Of six neighbours the middle ones end early, and new ones take their places.
        var requests = Enumerable.Range(0, 10).Select(i => Some.Request([5, 6 + i], i is 2 or 3 ? 2 : 20)).ToList();
        var texts = await Task.WhenAll(engine.Submit(requests).Select(s => s.ReadAllAsync().IdsAsync()));
        for (var i = 0; i < requests.Count; i++)
            Assert.Equal(Greedy(requests[i].PromptTokens, requests[i].MaxNewTokens!.Value, null), texts[i]);
    }

    [Fact]
    public async Task A_reused_prefix_changes_nothing_and_is_not_shared_between_adapters()
    {
        using var adapter = Some.Adapter(_model, 4, 1, LoraOptions.AllLinear);
        await using var engine = new GenerationEngine(_model, new EngineOptions { MaxRows = 3 });
        int[] prompt = [.. Enumerable.Range(10, 30)];
        foreach (var used in new[] { null, adapter, null, adapter, adapter })
        {
            var streams = engine.Submit([.. Enumerable.Range(0, 2).Select(_ => Some.Request(prompt, 8) with { Adapter = used })]);
            foreach (var stream in streams)
                Assert.Equal(Greedy(prompt, 8, used), await stream.ReadAllAsync().IdsAsync());
        }
    }

    [Fact]
    public async Task The_whole_context_is_used_and_the_cache_keeps_to_its_budget()
    {
        const long BytesPerToken = 2 * 2 * 2 * 8 * 8; // keys and values, L 2, K 2, D 8, Float64
        await using var engine = new GenerationEngine(_model, new EngineOptions { CacheBytes = BytesPerToken * 128 * 3 + 5, MaxRows = 16 });
        Assert.Equal((3, 128), (engine.MaxRows, engine.ContextLength));
        Assert.Equal(Greedy([1, 2, 3], 125, null), await engine.Submit(Some.Request([1, 2, 3], null)).ReadAllAsync().IdsAsync());
    }

    [Fact]
    public async Task Generating_leaves_no_tensor_behind()
    {
        using var adapter = Some.Adapter(_model, 4, 1, LoraOptions.AllLinear);
        await using var engine = new GenerationEngine(_model, new EngineOptions { MaxRows = 4 });
        await RunAsync();
        var before = Tensor.TotalCount;
        for (var i = 0; i < 3; i++)
            await RunAsync();
        Assert.Equal(before, Tensor.TotalCount);

        async Task RunAsync()
        {
            var requests = Enumerable.Range(0, 6).Select(i =>
                Some.Request([1, 2 + i, 3, 4], 10 + i) with { Adapter = i % 2 == 0 ? adapter : null, TopLogProbabilities = i, PromptLogProbabilities = i == 3 }).ToList();
            await Task.WhenAll(engine.Submit(requests).Select(s => s.ReadAllAsync().IdsAsync()));
        }
    }

    // Without a cache: the whole sequence for each token.
    private List<int> Greedy(IReadOnlyList<int> prompt, int count, LoraAdapter? adapter)
    {
        var sequence = prompt.Select(id => (long)id).ToList();
        for (var i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            using var frozen = no_grad();
            var hidden = _model.Hidden(tensor(sequence).view(1, -1), new ForwardPass { Adapters = adapter is null ? AdapterSelection.None : AdapterSelection.All(adapter) });
            sequence.Add(_model.Logits(hidden[0, -1]).argmax().item<long>());
        }
        return [.. sequence.Skip(prompt.Count).Select(id => (int)id)];
    }
}
