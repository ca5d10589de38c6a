using LangTrain.Inference.Cpu;
using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Inference.Tests.Engine;

/// <summary>
/// What a row says, with the log-probabilities behind it, depends on its own tokens and adapter alone, for every family: by our kernels to the last
/// bit, by libtorch within rounding.
/// </summary>
[Collection(TensorCounts.Name)]
public sealed class FamilyEqualityTests
{
    private const int NewTokens = 8;

    // Phi-3's reference model turns angles by the length of the whole sequence, which no cache can follow; its arithmetic is in CpuTokenModelTests.
    public static TheoryData<string> Families => [.. ("llama31 llama_linear_biased mistral qwen2 qwen3 gemma2 gemma3 gemma3_text gpt2 "
        + "hf_qwen2_yarn hf_llama_yarn_scales hf_qwen3_window hf_gemma2_types hf_smollm3 hf_granite hf_olmo2 hf_gpt2_scales").Split(' ')];

    [Theory]
    [MemberData(nameof(Families))]
    public async Task A_row_is_the_same_alone_batched_chunked_on_a_reused_prefix_and_merged(string family)
    {
        using var model = DecoderModel.Load(Path.Combine(AppContext.BaseDirectory, "Reference", family));
        Assert.True(CpuWeights.Supports(model));
        using var wide = Some.Adapter(model, 4, 1, LoraOptions.AllLinear);
        using var narrow = Some.Adapter(model, 2, 2, model.Linears.Keys.First().Split('.')[^1]);
        using var dora = Dora(model);
        LoraAdapter?[] adapters = [null, wide, narrow, dora, null, wide];
        var sampling = new SamplingOptions { Temperature = 0.8f, TopP = 0.95f };
        var requests = adapters.Select((adapter, i) => new GenerationRequest
        {
            PromptTokens = [.. Enumerable.Range(0, 9 + 2 * i).Select(k => k == 0 ? 1 : 3 + (k * k + i % 2) % 37)],
            MaxNewTokens = NewTokens,
            Adapter = adapter,
            Sampling = i % 3 == 0 ? SamplingOptions.Greedy : sampling with { Seed = 40 + i },
            TopLogProbabilities = 3,
        }).ToList();

        foreach (var kernels in new[] { true, false })
        {
            var options = new EngineOptions { UseCpuKernels = kernels };
            var alone = new List<List<GeneratedToken>>();
            await using (var one = new GenerationEngine(model, options with { ReusePrefixes = false }))
            {
                foreach (var request in requests)
                    alone.Add(Assert.Single(await RunAsync(one, [request])));
            }

            // Rows join and leave three slots, prompts in pieces of five.
            var mixed = options with { MaxRows = 3, PrefillChunkTokens = 5, IdlePrefillChunkTokens = 5, ReusePrefixes = false };
            AssertSame(alone, await RunAsync(model, mixed, [.. requests]), kernels);

            // Twice through one engine: the second time prompts are found in the cache.
            await using var engine = new GenerationEngine(model, options with { MaxRows = 8 });
            for (var turn = 0; turn < 2; turn++)
                AssertSame(alone, await RunAsync(engine, [.. requests]), kernels);

            // The whole sequence again without a cache, by libtorch.
            foreach (var (request, tokens) in requests.Zip(alone))
                AssertUncached(model, request, tokens);

            // The same adapter in the weights.
            if (!kernels)
                continue; // The model's own tests hold libtorch's path to this.
            using var folder = new TemporaryFolder();
            foreach (var i in new[] { 1, 2, 3 })
            {
                model.SaveMerged(folder.Path, requests[i].Adapter!);
                using var merged = DecoderModel.Load(folder.Path);
                AssertSame([alone[i]], await RunAsync(merged, options, requests[i] with { Adapter = null }), exact: false);
            }
        }
    }

    private static async Task<List<List<GeneratedToken>>> RunAsync(DecoderModel model, EngineOptions options, params GenerationRequest[] requests)
    {
        await using var engine = new GenerationEngine(model, options);
        return await RunAsync(engine, requests);
    }

    private static async Task<List<List<GeneratedToken>>> RunAsync(GenerationEngine engine, GenerationRequest[] requests) =>
        [.. await Task.WhenAll(engine.Submit(requests).Select(s => s.ReadAllAsync().ListAsync()))];

    private static void AssertSame(List<List<GeneratedToken>> expected, List<List<GeneratedToken>> actual, bool exact)
    {
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.Equal(expected[i].Select(t => t.TokenId), actual[i].Select(t => t.TokenId));
            for (var t = 0; t < expected[i].Count; t++)
                Assert.Equal(expected[i][t].LogProbability!.Value, actual[i][t].LogProbability!.Value, exact ? 0 : 2e-4f);
        }
    }

    private static void AssertUncached(DecoderModel model, GenerationRequest request, List<GeneratedToken> tokens)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        long[] ids = [.. request.PromptTokens, .. tokens.Select(t => (long)t.TokenId)];
        var pass = new ForwardPass { Adapters = request.Adapter is { } adapter ? AdapterSelection.All(adapter) : AdapterSelection.None };
        var logits = model.Logits(model.Hidden(tensor(ids).view(1, -1), pass))[0]; // [S, V]
        var expected = nn.functional.log_softmax(logits, -1);
        for (var t = 0; t < tokens.Count; t++)
            Assert.Equal(expected[request.PromptTokens.Count + t - 1, tokens[t].TokenId].item<float>(), tokens[t].LogProbability!.Value, 2e-4f);
    }

    private static LoraAdapter Dora(DecoderModel model)
    {
        var adapter = LoraAdapter.Create(model, new LoraOptions { Rank = 3, Alpha = 6, UseDora = true }, 3);
        using var frozen = no_grad();
        using var generator = new Generator(3, CPU);
        foreach (var (name, parameter) in adapter.named_parameters())
        {
            if (name.Contains("lora_B", StringComparison.Ordinal))
                parameter.normal_(0, 0.3, generator);
            else if (name.Contains("magnitude", StringComparison.Ordinal))
                parameter.mul_(1.2);
        }
        adapter.SetTrainable(false);
        return adapter;
    }
}
