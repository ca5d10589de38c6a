using System.Text.Json;
using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

/// <summary>Each family against logits of an independent NumPy implementation, Reference/make_references.py, and of Hugging Face transformers (hf_*), make_transformers_references.py.</summary>
public sealed class ModelFamiliesTests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();

    public static TheoryData<string> Families => [.. ("llama31 llama_linear_biased mistral qwen2 qwen3 gemma2 gemma3 gemma3_text phi3 gpt2 "
        + "hf_qwen2_yarn hf_llama_yarn_scales hf_qwen3_window hf_gemma2_types hf_phi3_short hf_phi3_long hf_smollm3 hf_granite hf_olmo2 hf_gpt2_scales").Split(' ')];

    public void Dispose() => _scope.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public void Logits_equal_the_reference(string family)
    {
        (Tensor ids, Tensor golden) = Golden(family);
        using DecoderModel precise = DecoderModel.Load(Folder(family), new ModelLoadOptions { Dtype = ScalarType.Float64 }), model = DecoderModel.Load(Folder(family));
        Some.Close(golden, Some.Logits(precise, ids), 1e-6);
        Some.Close(golden, Some.Logits(model, ids), 2e-5);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Cached_and_ragged_equal_the_full_forward(string family)
    {
        (Tensor ids, _) = Golden(family);
        using DecoderModel model = DecoderModel.Load(Folder(family));
        Tensor full = Some.Logits(model, ids);
        using var cache = new KeyValueCache(model, 2, 32);

        // Row 0 takes some tokens, then the rest one by one; row 1 takes all at once. Within longrope's original context, a row's past is turned by other factors.
        int count = (int)ids.shape[1], first = Math.Min(9, count - 1), original = model.Config.Rope is { Scaling: RopeScaling.LongRope } rope ? rope.OriginalContextLength : 0;
        Some.Logits(model, cat([ids, ids]), new ForwardPass { Cache = cache, TokenCounts = [first, count] });
        for (int t = first; t < count; t++)
        {
            Tensor step = Some.Logits(model, ids.narrow(1, t, 1), new ForwardPass { Cache = cache });
            if (t >= original || count <= original)
            {
                Some.Close(full.narrow(1, t, 1), step, 2e-5);
            }
        }

        Tensor next = tensor([5L]).view(1, 1);
        Some.Close(Some.Logits(model, cat([ids, next], 1)).narrow(1, count, 1), Some.Logits(model, next, new ForwardPass { Cache = cache, CacheRows = [1] }), 2e-5);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_saved_model_an_adapter_and_four_bits_work_on_every_family(string family)
    {
        (Tensor ids, _) = Golden(family);
        using var folder = Some.Folder();
        using DecoderModel model = DecoderModel.Load(Folder(family));
        model.Save(folder.Path);
        using DecoderModel saved = DecoderModel.Load(folder.Path), quantized = DecoderModel.Load(folder.Path, new ModelLoadOptions { Quantization = Quantization.NF4 });
        Assert.True(Some.Same(Some.Logits(model, ids), Some.Logits(saved, ids)));

        using LoraAdapter adapter = Some.Adapter(model, options: new LoraOptions { Rank = 2, UseDora = true });
        Tensor adapted = Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.All(adapter) });
        model.SaveMerged(folder.Path, adapter);
        using DecoderModel merged = DecoderModel.Load(folder.Path);
        Some.Close(Some.Logits(merged, ids), adapted, 2e-5);

        using LoraAdapter small = LoraAdapter.Create(quantized, new LoraOptions { Rank = 2 }, 1);
        Some.Logits(quantized, ids, new ForwardPass { Adapters = AdapterSelection.All(small) }).square().mean().backward();
        Assert.All(small.named_parameters(), pair => Assert.Equal(pair.name.Contains("lora_B"), pair.parameter.grad!.abs().max().item<float>() > 0));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_model_comes_back_from_its_GGUF_file(string family)
    {
        (Tensor ids, _) = Golden(family);
        using var folder = Some.Folder();
        using DecoderModel model = DecoderModel.Load(Folder(family));
        string file = folder.File("model.gguf");
        if (Record.Exception(() => GgufExporter.Export(model, file, GgufType.BF16, null)) is UnsupportedModelException refusal)
        {
            Assert.StartsWith("This model cannot be exported as GGUF", refusal.Message);
            return;
        }

        GgufImporter.Import(file, folder.File("back"));
        using DecoderModel back = DecoderModel.Load(folder.File("back"));
        Some.Close(Some.Logits(model, ids), Some.Logits(back, ids), 2e-5);
        byte[] bytes = File.ReadAllBytes(file);
        File.WriteAllBytes(file, bytes[..(bytes.Length / 2)]);
        Assert.Throws<InvalidDataException>(() => GgufImporter.Import(file, folder.File("half")));
    }

    private static string Folder(string family) => Path.Combine(AppContext.BaseDirectory, "Reference", family);

    private static (Tensor Ids, Tensor Logits) Golden(string family)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder(family), "golden.json")));
        long[] ids = [.. json.RootElement.GetProperty("ids").EnumerateArray().Select(id => id.GetInt64())];
        double[] logits = [.. json.RootElement.GetProperty("logits").EnumerateArray().SelectMany(row => row.EnumerateArray().Select(value => value.GetDouble()))];
        return (tensor(ids).unsqueeze(0), tensor(logits).view(1, ids.Length, -1));
    }
}
