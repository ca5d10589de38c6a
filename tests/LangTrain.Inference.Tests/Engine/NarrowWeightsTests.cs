using System.Text.Json;
using LangTrain.Modeling;
using LangTrain.Modeling.Tokenizers;
using static TorchSharp.torch;

namespace LangTrain.Inference.Tests.Engine;

/// <summary>What fewer bits cost, on the base model that ships with LocalHost and the demo's held-out rows.</summary>
[Collection(TensorCounts.Name)]
public sealed class NarrowWeightsTests
{
    [Fact]
    public async Task Eight_bits_take_a_quarter_of_the_memory_and_raise_perplexity_by_half_a_percent_at_most()
    {
        using var exact = DecoderModel.Load(Folder());
        using var narrow = DecoderModel.Load(Folder(), new ModelLoadOptions { Quantization = Quantization.Int8 });
        Assert.InRange((double)narrow.WeightBytes / exact.WeightBytes, 0.25, 0.28);
        Assert.Equal(exact.ParameterCount, narrow.ParameterCount);
        var (before, after) = (await PerplexityAsync(exact), await PerplexityAsync(narrow));
        Assert.InRange(after / before, 0.98, 1.005); // On so few rows it may be the lower one by chance.
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

    private static async Task<double> PerplexityAsync(DecoderModel model)
    {
        var tokenizer = Tokenizer.Load(Folder());
        await using var engine = new GenerationEngine(model, new EngineOptions { MaxRows = 8 });
        var rows = File.ReadLines(Path.Combine(Root(), "Demo", "Data", "held-out.jsonl")).Take(24).Select(line =>
        {
            using var json = JsonDocument.Parse(line);
            return tokenizer.Encode(string.Join('\n', Texts(json.RootElement)));
        }).ToList();
        var tokens = await Task.WhenAll(rows.Select(ids => engine.Submit(new GenerationRequest
        {
            PromptTokens = ids,
            MaxNewTokens = 0,
            TopLogProbabilities = 0,
            PromptLogProbabilities = true,
        }).ReadAllAsync().ListAsync()));
        return Math.Exp(-tokens.SelectMany(row => row).Where(t => t.LogProbability is not null).Average(t => t.LogProbability!.Value));
    }

    private static IEnumerable<string> Texts(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => [element.GetString()!],
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => Texts(p.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Texts),
        _ => [],
    };

    private static string Folder() => Path.Combine(Root(), "TinyBaseModel");

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "LangTrain.Functions.sln")))
                return Path.Combine(folder.FullName, "src", "LangTrain.LocalHost");
        }
        throw new DirectoryNotFoundException("The tests do not run inside the repository.");
    }
}
