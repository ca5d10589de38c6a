using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

/// <summary>The gradient derived by hand against autograd's, for every family and everything that can learn.</summary>
public sealed class DerivedPassTests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();

    public static TheoryData<string> Families => [.. "llama31 llama_linear_biased mistral qwen2 qwen3 gemma2 gemma3 gemma3_text phi3 hf_llama_yarn_scales hf_phi3_long hf_smollm3 hf_granite hf_olmo2".Split(' ')];

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(Activation.Silu)]
    [InlineData(Activation.GeluTanh)]
    [InlineData(Activation.Gelu)]
    [InlineData(Activation.Relu)]
    [InlineData(Activation.Tanh)]
    public void The_gradient_of_an_activation_is_that_of_autograd(Activation activation)
    {
        Tensor x = linspace(-3, 3, 40, ScalarType.Float64).requires_grad_(), gradient = linspace(1, 2, 40, ScalarType.Float64);
        Activations.Apply(activation, x).backward([gradient]);
        Some.Close(x.grad!, Activations.Backward(activation, gradient, x.detach()), 1e-6);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Gradients_of_an_adapter_equal_autograds(string family)
    {
        using DecoderModel precise = Load(family, ScalarType.Float64), model = Load(family, ScalarType.Float32);
        using LoraAdapter all = Some.Adapter(precise, options: new LoraOptions { Rank = 3, UseRslora = true, Dropout = 0.3 });
        AssertEqualGradients(precise, all, 1e-9, packed: true);

        // Float32 takes other kernels; with attention alone adapted, what the feed-forward block was given is not worked out again.
        string[] attention = model.Config.FusedProjections ? ["qkv_proj", "o_proj"] : ["q_proj", "k_proj", "v_proj", "o_proj"];
        using LoraAdapter some = Some.Adapter(model, options: new LoraOptions { Rank = 2, TargetModules = attention });
        AssertEqualGradients(model, some, 1e-4, packed: false);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Gradients_of_all_weights_equal_autograds(string family)
    {
        using DecoderModel model = Load(family, ScalarType.Float64);
        model.SetTrainable(true);
        AssertEqualGradients(model, null, 1e-9, packed: true);
    }

    [Fact]
    public void Quantized_weights_pass_the_same_gradients_on()
    {
        using DecoderModel model = DecoderModel.Load(Folder("llama31"), new ModelLoadOptions { Quantization = Quantization.NF4 });
        using LoraAdapter adapter = Some.Adapter(model, options: new LoraOptions { Rank = 2 });
        AssertEqualGradients(model, adapter, 1e-4, packed: false);
    }

    /// <summary>The families' folders have narrow heads; with wider ones LangTrain's own kernel attends, in Float32 whatever the pass computes in.</summary>
    [Theory]
    [MemberData(nameof(Families))]
    public void Gradients_of_wide_heads_equal_autograds(string family)
    {
        using DecoderModel model = WithHeads(family, 16);
        model.SetTrainable(true);
        AssertEqualGradients(model, null, 1e-4, packed: true);
    }

    [Fact]
    public void Half_precision_stays_close_and_leaves_fp32_gradients()
    {
        using DecoderModel model = Load("llama31", ScalarType.Float32);
        model.SetTrainable(true);
        ForwardPass pass = Pass(null);
        Dictionary<string, Tensor> precise = Gradients(model, null, pass, ScalarType.Float32), narrow = Gradients(model, null, pass, ScalarType.BFloat16);
        Assert.All(precise, pair =>
        {
            Assert.Equal(ScalarType.Float32, narrow[pair.Key].dtype);
            Assert.InRange(((narrow[pair.Key] - pair.Value).norm() / pair.Value.norm()).item<float>(), 1e-5, 0.05);
        });
    }

    /// <summary>All gradients together: weights 16 wide are too few for each to be close where a softmax is sharp.</summary>
    [Theory]
    [MemberData(nameof(Families))]
    public void Half_precision_of_wide_heads_stays_close(string family)
    {
        using DecoderModel model = WithHeads(family, 16);
        model.SetTrainable(true);
        ForwardPass pass = Pass(null, packed: true);
        Dictionary<string, Tensor> precise = Gradients(model, null, pass, ScalarType.Float32), narrow = Gradients(model, null, pass, ScalarType.BFloat16);
        Assert.All(narrow, pair => Assert.Equal(ScalarType.Float32, pair.Value.dtype));
        Tensor Flat(Dictionary<string, Tensor> gradients) => cat([.. precise.Keys.Select(name => gradients[name].flatten())]);
        Assert.InRange(((Flat(narrow) - Flat(precise)).norm() / Flat(precise).norm()).item<float>(), 1e-5, 0.05);
    }

    [Fact]
    public void Passes_leave_no_tensor_behind()
    {
        using DecoderModel model = Load("qwen3", ScalarType.Float32);
        using LoraAdapter adapter = Some.Adapter(model, options: new LoraOptions { Rank = 2, Dropout = 0.1 });
        ForwardPass pass = Pass(adapter);
        Step();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Step();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        void Step()
        {
            using var scope = NewDisposeScope();
            using TrackedPass tracked = model.Track(Ids, pass);
            tracked.Backward(ones_like(tracked.Hidden));
        }
    }

    private Tensor Ids { get; } = Some.Ids(2, 12, vocabulary: 16);

    private void AssertEqualGradients(DecoderModel model, LoraAdapter? adapter, double tolerance, bool packed)
    {
        ForwardPass pass = Pass(adapter, packed);
        Dictionary<string, Tensor> expected = Gradients(model, adapter, pass, null), actual = Gradients(model, adapter, pass, model.Dtype);
        Assert.NotEmpty(expected);
        Assert.All(expected, pair => Assert.True(Difference(actual[pair.Key], pair.Value) < tolerance, $"{pair.Key}: {Difference(actual[pair.Key], pair.Value)}"));
        Assert.All(Gradients(model, adapter, Pass(adapter, packed, checkpointing: true), model.Dtype), pair => Assert.True(Some.Same(actual[pair.Key], pair.Value), pair.Key));
    }

    /// <summary>Gradients of two passes added up, under a loss that weighs every hidden value differently; by autograd where no dtype is given.</summary>
    private Dictionary<string, Tensor> Gradients(DecoderModel model, LoraAdapter? adapter, ForwardPass pass, ScalarType? dtype)
    {
        pass.Generator?.manual_seed(5);
        for (int i = 0; i < 2; i++)
        {
            using TrackedPass tracked = dtype is null ? new AutogradPass(model.Hidden(Ids, pass)) : model.Track(Ids, pass, dtype);
            Assert.Equal(dtype is not null, tracked is DerivedPass);
            tracked.Backward(linspace(-1, 1, tracked.Hidden.numel(), tracked.Hidden.dtype).view(tracked.Hidden.shape));
        }

        var result = new Dictionary<string, Tensor>();
        foreach ((string name, var parameter) in adapter?.named_parameters() ?? model.named_parameters())
        {
            if (parameter.grad is { } grad)
            {
                result.Add(name, grad.clone());
                parameter.grad = null;
            }
        }

        return result;
    }

    private static double Difference(Tensor actual, Tensor expected) => ((actual - expected).abs().max() / expected.abs().max()).to(ScalarType.Float64).item<double>();

    private static ForwardPass Pass(LoraAdapter? adapter, bool packed = false, bool checkpointing = false)
    {
        // Two examples in the first row; one and padding in the second.
        long[] segments = [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0];
        long[] positions = [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0];
        return new ForwardPass
        {
            Adapters = adapter is null ? AdapterSelection.None : AdapterSelection.All(adapter),
            Training = true,
            Generator = new Generator(5),
            Segments = packed ? tensor(segments).view(2, 12) : null,
            Positions = packed ? tensor(positions).view(2, 12) : null,
            ActivationCheckpointing = checkpointing,
        };
    }

    private static DecoderModel Load(string family, ScalarType dtype) => DecoderModel.Load(Folder(family), new ModelLoadOptions { Dtype = dtype });

    private static DecoderModel WithHeads(string family, int size)
    {
        ModelConfig config = ModelConfig.Read(Folder(family)) with { HeadSize = size };
        if (config.Rope is { Scaling: RopeScaling.LongRope } rope)
        {
            double[] Repeated(IReadOnlyList<double> factors) => [.. Enumerable.Range(0, RotaryEmbedding.RotatedSize(rope, size) / 2).Select(pair => factors[pair % factors.Count])];
            config = config with { Rope = rope with { ShortFactors = Repeated(rope.ShortFactors), LongFactors = Repeated(rope.LongFactors) } };
        }

        return DecoderModel.Create(config, seed: 3);
    }

    private static string Folder(string family) => Path.Combine(AppContext.BaseDirectory, "Reference", family);
}
