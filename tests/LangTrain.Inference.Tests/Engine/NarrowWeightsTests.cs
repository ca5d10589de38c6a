using LangTrain.Modeling;
using LangTrain.Modeling.Tokenizers;
using static TorchSharp.torch;

namespace LangTrain.Inference.Tests.Engine;

/// <summary>What fewer bits cost, on the base model that ships with LocalHost.</summary>
[Collection(TensorCounts.Name)]
public sealed class NarrowWeightsTests
{
    [Fact]
    public async Task Eight_bits_take_a_quarter_of_the_memory_and_move_perplexity_by_half_a_percent_at_most()
    {
        using var exact = DecoderModel.Load(Folder());
        using var narrow = DecoderModel.Load(Folder(), new ModelLoadOptions { Quantization = Quantization.Int8 });
        Assert.InRange((double)narrow.WeightBytes / exact.WeightBytes, 0.25, 0.28);
        Assert.Equal(exact.ParameterCount, narrow.ParameterCount);
        var texts = await WrittenByAsync(exact);
        var (before, after) = (await PerplexityAsync(exact, texts), await PerplexityAsync(narrow, texts));
        Assert.InRange(after / before, 0.995, 1.005);
        Assert.NotEqual(before, after);
    }

    [Fact]
    public void Weights_on_the_files_pages_are_the_copied_ones_and_writing_to_them_leaves_the_file_alone()
    {
        using var folder = new TemporaryFolder();
        using (var made = Some.TinyModel(ScalarType.Float32))
            made.Save(folder.Path);
        var file = Path.Combine(folder.Path, "model.safetensors");
        var bytes = File.ReadAllBytes(file);
        using var copied = DecoderModel.Load(folder.Path);
        using (var mapped = DecoderModel.Load(folder.Path, new ModelLoadOptions { MapWeights = true }))
        {
            foreach (var (first, second) in copied.named_parameters().Zip(mapped.named_parameters()))
                Assert.Equal(first.parameter.data<float>().ToArray(), second.parameter.data<float>().ToArray());
            using var frozen = no_grad();
            foreach (var parameter in mapped.parameters())
                parameter.zero_();
        }
        Assert.Equal(bytes, File.ReadAllBytes(file));
    }

    // What the model itself writes, so that it is text of the kind that it knows: 5,000 tokens, on which chance moves the ratio by far less than the bound.
    private static async Task<int[][]> WrittenByAsync(DecoderModel model)
    {
        var tokenizer = Tokenizer.Load(Folder());
        await using var engine = new GenerationEngine(model, new EngineOptions { MaxRows = 8 });
        return await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            var beginning = tokenizer.Encode(i % 2 == 0 ? "Once upon a time" : "The").ToArray();
            var written = await engine.Submit(new GenerationRequest { PromptTokens = beginning, MaxNewTokens = 100, Sampling = new SamplingOptions { Seed = i } }).ReadAllAsync().ListAsync();
            return (int[])[.. beginning, .. written.Select(token => token.TokenId)];
        }));
    }

    private static async Task<double> PerplexityAsync(DecoderModel model, int[][] texts)
    {
        await using var engine = new GenerationEngine(model, new EngineOptions { MaxRows = 8 });
        var tokens = await Task.WhenAll(texts.Select(ids => engine.Submit(new GenerationRequest
        {
            PromptTokens = ids,
            MaxNewTokens = 0,
            TopLogProbabilities = 0,
            PromptLogProbabilities = true,
        }).ReadAllAsync().ListAsync()));
        return Math.Exp(-tokens.SelectMany(row => row).Where(t => t.LogProbability is not null).Average(t => t.LogProbability!.Value));
    }

    private static string Folder() => Path.Combine(Some.Repository(), "src", "LangTrain.LocalHost", "TinyBaseModel");
}
