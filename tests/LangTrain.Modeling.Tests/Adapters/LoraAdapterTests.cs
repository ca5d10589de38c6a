using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

public sealed class LoraAdapterTests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_new_adapter_changes_nothing(bool dora)
    {
        using DecoderModel model = Some.Model();
        using LoraAdapter adapter = LoraAdapter.Create(model, new LoraOptions { Rank = 4, UseDora = dora }, 1);
        Tensor ids = Some.Ids(2, 9);
        Some.Close(Some.Logits(model, ids), Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.All(adapter) }), 1e-6);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Merged_equals_unmerged(bool dora, bool rslora)
    {
        using DecoderModel model = Some.Model(), merged = Some.Model();
        using LoraAdapter adapter = Some.Adapter(model, options: new LoraOptions { Rank = 4, Alpha = 6, UseDora = dora, UseRslora = rslora });
        Assert.Equal(rslora ? 3 : 1.5, adapter.Scaling, 12);
        Merge(merged, adapter);
        Tensor ids = Some.Ids(2, 9), expected = Some.Logits(merged, ids);
        Some.Close(expected, Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.All(adapter) }));
        Assert.True(Some.Difference(Some.Logits(model, ids), expected) > 0.01);
    }

    [Fact]
    public void Rows_with_different_adapters_equal_each_row_alone()
    {
        using DecoderModel model = Some.Model();
        using LoraAdapter a = Some.Adapter(model, 5), b = Some.Adapter(model, 6, new LoraOptions { Rank = 2, Alpha = 4, TargetModules = ["q_proj", "down_proj"] });
        using LoraAdapter c = Some.Adapter(model, 7, new LoraOptions { Rank = 3, UseDora = true });
        c.SetTrainable(false);
        LoraAdapter?[] rows = [a, null, b, a, c];
        Tensor ids = Some.Ids(5, 9), mixed = Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.PerRow(rows) });
        for (int row = 0; row < rows.Length; row++)
        {
            AdapterSelection one = rows[row] is { } adapter ? AdapterSelection.All(adapter) : AdapterSelection.None;
            Some.Close(Some.Logits(model, ids.narrow(0, row, 1), new ForwardPass { Adapters = one }), mixed.narrow(0, row, 1));
        }

        Assert.Throws<ArgumentException>(() => Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.PerRow([a]) }));
    }

    [Fact]
    public void Gradients_of_lora_match_finite_differences()
    {
        using DecoderModel model = Small();
        using LoraAdapter adapter = Some.Adapter(model, options: new LoraOptions { Rank = 2, Alpha = 4, UseRslora = true });
        Check(model, adapter, [.. adapter.parameters()]);
        Assert.All(model.parameters(), parameter => Assert.True(parameter.grad is null));
    }

    [Fact]
    public void Gradients_of_dora_match_finite_differences_with_the_norm_held_constant()
    {
        using DecoderModel model = Small();
        using LoraAdapter adapter = Some.Adapter(model, options: new LoraOptions { Rank = 2, Alpha = 4, UseDora = true });

        // The norm is a constant in the backward pass (arXiv:2402.09353, section 4.3); in the magnitude the loss is differentiable as it stands.
        Check(model, adapter, [.. adapter.named_parameters().Where(pair => pair.name.EndsWith("magnitude_vector", StringComparison.Ordinal)).Select(pair => (Tensor)pair.parameter)]);

        // For A and B: y = W·x + (c - 1)·W·x + c·s·B·A·x with c = m / norm fixed has the gradients of plain LoRA on a base scaled by c, row by row.
        LinearLayer layer = model.Linears["model.layers.0.mlp.up_proj"];
        LoraLayer lora = adapter.Find(layer.ModuleName)!;
        lora.A.grad = null;
        lora.B.grad = null;
        Tensor x = randn([3, layer.InputSize], ScalarType.Float64, generator: new Generator(3)).unsqueeze(0), direction = randn([1, 3, layer.OutputSize], ScalarType.Float64, generator: new Generator(4));
        (lora.AddTo(layer.Multiply(x, null), x, layer, new ForwardPass()) * direction).sum().backward();
        Tensor c = (lora.Magnitude! / lora.Norm(layer)).detach(), scaled = (direction * c * adapter.Scaling).squeeze(0); // [3, out]
        Some.Close(matmul(scaled.t(), matmul(x.squeeze(0), lora.A.detach().t())), lora.B.grad!, 1e-9);
        Some.Close(matmul(matmul(lora.B.detach().t(), scaled.t()), x.squeeze(0)), lora.A.grad!, 1e-9);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_16_bit_base_trains_a_32_bit_adapter(bool dora)
    {
        using var folder = Some.Folder();
        using (DecoderModel original = DecoderModel.Create(Some.Config(), 3))
        {
            original.Save(folder.Path, ScalarType.BFloat16);
        }

        Tensor[] Gradients(ScalarType dtype)
        {
            using DecoderModel model = DecoderModel.Load(folder.Path, new ModelLoadOptions { Dtype = dtype });
            using LoraAdapter adapter = Some.Adapter(model, options: new LoraOptions { Rank = 4, UseDora = dora });
            Some.Logits(model, Some.Ids(2, 9), new ForwardPass { Adapters = AdapterSelection.All(adapter) }).to(ScalarType.Float32).square().mean().backward();
            Assert.All(adapter.parameters(), parameter => Assert.Equal(ScalarType.Float32, parameter.grad!.dtype));
            return [.. adapter.parameters().Select(parameter => parameter.grad!.clone())];
        }

        Tensor wide = cat([.. Gradients(ScalarType.Float32).Select(gradient => gradient.view(-1))]), narrow = cat([.. Gradients(ScalarType.BFloat16).Select(gradient => gradient.view(-1))]);
        Assert.InRange(((wide - narrow).norm() / wide.norm()).item<float>(), 1e-6, 0.05);
    }

    [Fact]
    public void Dropout_comes_from_the_given_generator_only()
    {
        using DecoderModel model = Some.Model();
        using LoraAdapter adapter = Some.Adapter(model, options: new LoraOptions { Rank = 4, Dropout = 0.5 });
        Tensor ids = Some.Ids(2, 9);
        Tensor Run(ulong seed)
        {
            using var generator = new Generator(seed);
            _ = rand(3);
            return Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.All(adapter), Training = true, Generator = generator });
        }

        Assert.True(Some.Same(Run(1), Run(1)));
        Assert.False(Some.Same(Run(1), Run(2)));
        Assert.Throws<ArgumentException>(() => Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.All(adapter), Training = true }));
        Some.Close(Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.All(adapter) }), Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.All(adapter) }), 0);
    }

    [Fact]
    public void A_target_that_names_nothing_is_an_error_that_lists_what_there_is()
    {
        using DecoderModel model = Some.Model();
        ArgumentException error = Assert.Throws<ArgumentException>(() => LoraAdapter.Create(model, new LoraOptions { TargetModules = ["q_proj", "query"] }, 0));
        Assert.Contains("'query'", error.Message);
        Assert.Contains("q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj", error.Message);
        using LoraAdapter adapter = LoraAdapter.Create(model, new LoraOptions { TargetModules = ["q_proj", "model.layers.2.mlp.up_proj"] }, 0);
        Assert.Equal(["model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj", "model.layers.2.self_attn.q_proj", "model.layers.2.mlp.up_proj"], adapter.Modules);
    }

    internal static void Merge(DecoderModel model, LoraAdapter adapter)
    {
        using var frozen = no_grad();
        var parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        foreach (LinearLayer layer in model.Linears.Values)
        {
            parameters[layer.ModuleName + ".weight"].copy_(adapter.MergedWeight(layer));
        }
    }

    private static DecoderModel Small() => Some.Model(ScalarType.Float64, config: ModelConfig.ForLlama(20, 8, 2, 4, 2, 12, 32, tieEmbeddings: false));

    private static void Check(DecoderModel model, LoraAdapter adapter, List<Tensor> parameters)
    {
        Tensor ids = Some.Ids(2, 6, vocabulary: 20);
        var pass = new ForwardPass { Adapters = AdapterSelection.All(adapter) };
        FiniteDifferences.Check([.. parameters.Select((_, i) => $"parameter {i}")], parameters, () => nn.functional.cross_entropy(Some.Logits(model, ids, pass).view(-1, 20), ids.roll(-1, 1).view(-1)));
    }
}
