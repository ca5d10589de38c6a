using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

/// <summary>Small models, ids and folders.</summary>
internal static class Some
{
    /// <summary>Grouped heads, untied, wide enough that all dimensions differ.</summary>
    public static ModelConfig Config(bool tied = false) => ModelConfig.ForLlama(96, 32, 3, 4, 2, 48, 128, tied);

    /// <summary>A model whose logits are far from flat (larger weights than a fresh one's).</summary>
    public static DecoderModel Model(ScalarType dtype = ScalarType.Float32, long seed = 1, ModelConfig? config = null)
    {
        DecoderModel model = DecoderModel.Create(config ?? Config(), seed, new ModelLoadOptions { Dtype = dtype });
        using var frozen = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
        {
            if (parameter.dim() == 2)
            {
                parameter.mul_(6);
            }
            else
            {
                parameter.add_(linspace(-0.2, 0.3, parameter.numel(), dtype));
            }
        }

        return model;
    }

    /// <summary>An adapter that does something: B is not zero.</summary>
    public static LoraAdapter Adapter(DecoderModel model, long seed = 5, LoraOptions? options = null)
    {
        LoraAdapter adapter = LoraAdapter.Create(model, options ?? new LoraOptions { Rank = 4, Alpha = 8 }, seed);
        using var frozen = no_grad();
        using var generator = new Generator((ulong)seed);
        foreach (var (name, parameter) in adapter.named_parameters())
        {
            if (name.EndsWith("lora_B.weight", StringComparison.Ordinal))
            {
                parameter.normal_(0, 0.2, generator);
            }
            else if (name.EndsWith("magnitude_vector", StringComparison.Ordinal))
            {
                parameter.mul_(1.3);
            }
        }

        return adapter;
    }

    public static Tensor Ids(int batch, int tokens, int seed = 3, int vocabulary = 96)
    {
        var random = new Random(seed);
        return tensor(Enumerable.Range(0, batch * tokens).Select(_ => (long)random.Next(vocabulary)).ToArray()).view(batch, tokens);
    }

    public static Tensor Logits(DecoderModel model, Tensor ids, ForwardPass? pass = null) => model.Logits(model.Hidden(ids, pass ?? new ForwardPass()));

    public static TemporaryFolder Folder() => new();

    /// <summary>Largest difference, relative to the largest value.</summary>
    public static double Difference(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(a.shape, b.shape);
        return ((a - b).abs().max() / b.abs().max().clamp_min(1e-9)).item<float>();
    }

    /// <summary>Equal to the last bit.</summary>
    public static bool Same(Tensor a, Tensor b) => a.dtype == b.dtype && a.shape.SequenceEqual(b.shape) && (a.numel() == 0 || a.contiguous().bytes.SequenceEqual(b.contiguous().bytes));

    public static void Close(Tensor expected, Tensor actual, double tolerance = 1e-5) => Assert.InRange(Difference(actual.to(ScalarType.Float32), expected.to(ScalarType.Float32)), 0, tolerance);
}
