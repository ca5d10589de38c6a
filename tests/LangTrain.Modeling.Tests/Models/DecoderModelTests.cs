using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

public sealed class DecoderModelTests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(128256, 4096, 32, 32, 8, 14336, 8_030_261_248)] // Llama 3.1 8B
    [InlineData(128256, 8192, 80, 64, 8, 28672, 70_553_706_496)] // Llama 3.1 70B
    [InlineData(32000, 4096, 32, 32, 32, 11008, 6_738_415_616)] // Llama 2 7B
    public void Published_sizes_have_the_published_number_of_parameters(int vocabulary, int hidden, int layers, int heads, int keys, int feedForward, long parameters)
    {
        ModelConfig config = ModelConfig.ForLlama(vocabulary, hidden, layers, heads, keys, feedForward, 8192, tieEmbeddings: false);
        using DecoderModel model = DecoderModel.Create(config, 0, new ModelLoadOptions { Device = META, Dtype = ScalarType.BFloat16 });
        Assert.Equal(parameters, model.ParameterCount);
        Assert.Equal(layers * 7, model.Linears.Count);
    }

    [Fact]
    public void Names_and_shapes_are_those_of_the_checkpoint()
    {
        ModelConfig config = ModelConfig.ForLlama(128256, 2048, 16, 32, 8, 8192, 131072, tieEmbeddings: true); // Llama 3.2 1B
        using DecoderModel model = DecoderModel.Create(config, 0, new ModelLoadOptions { Device = META });
        Dictionary<string, long[]> shapes = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.shape);
        Assert.Equal(1_235_814_400, model.ParameterCount);
        Assert.Equal(2 + 16 * 9, shapes.Count);
        Assert.Equal([128256, 2048], shapes["model.embed_tokens.weight"]);
        Assert.Equal([2048, 2048], shapes["model.layers.0.self_attn.q_proj.weight"]);
        Assert.Equal([512, 2048], shapes["model.layers.15.self_attn.k_proj.weight"]);
        Assert.Equal([512, 2048], shapes["model.layers.15.self_attn.v_proj.weight"]);
        Assert.Equal([2048, 2048], shapes["model.layers.7.self_attn.o_proj.weight"]);
        Assert.Equal([8192, 2048], shapes["model.layers.7.mlp.gate_proj.weight"]);
        Assert.Equal([8192, 2048], shapes["model.layers.7.mlp.up_proj.weight"]);
        Assert.Equal([2048, 8192], shapes["model.layers.7.mlp.down_proj.weight"]);
        Assert.Equal([2048], shapes["model.layers.7.input_layernorm.weight"]);
        Assert.Equal([2048], shapes["model.layers.7.post_attention_layernorm.weight"]);
        Assert.Equal([2048], shapes["model.norm.weight"]);
    }

    [Fact]
    public void Packed_segments_equal_separate_rows()
    {
        using DecoderModel model = Some.Model();
        Tensor a = Some.Ids(1, 7), b = Some.Ids(1, 9, seed: 4), padding = zeros(1, 4, ScalarType.Int64);
        long[] Range(int n) => [.. Enumerable.Range(0, n).Select(i => (long)i)];
        var pass = new ForwardPass
        {
            Positions = tensor([.. Range(7), .. Range(9), .. Range(4)]).unsqueeze(0),
            Segments = tensor([.. Enumerable.Repeat(1L, 7), .. Enumerable.Repeat(2L, 9), .. Enumerable.Repeat(0L, 4)]).unsqueeze(0),
        };
        Tensor packed = Some.Logits(model, cat([a, b, padding], 1), pass);
        Some.Close(Some.Logits(model, a), packed.narrow(1, 0, 7));
        Some.Close(Some.Logits(model, b), packed.narrow(1, 7, 9));
        Assert.True(packed.isfinite().all().item<bool>());
    }

    [Fact]
    public void Padding_on_the_right_changes_nothing_before_it()
    {
        using DecoderModel model = Some.Model();
        Tensor ids = Some.Ids(2, 16), changed = ids.clone();
        changed.narrow(1, 10, 6).fill_(0);
        Some.Close(Some.Logits(model, ids).narrow(1, 0, 10), Some.Logits(model, changed).narrow(1, 0, 10), 1e-6);
    }

    [Fact]
    public void Gradients_of_all_weights_match_finite_differences()
    {
        using DecoderModel model = Some.Model(ScalarType.Float64, config: ModelConfig.ForLlama(20, 8, 2, 4, 2, 12, 32, tieEmbeddings: false));
        model.SetTrainable(true);
        Tensor ids = Some.Ids(2, 6, vocabulary: 20);
        var (names, parameters) = (model.named_parameters().Select(pair => pair.name).ToList(), model.parameters().Cast<Tensor>().ToList());
        FiniteDifferences.Check(names, parameters, () => nn.functional.cross_entropy(Some.Logits(model, ids).view(-1, 20), ids.roll(-1, 1).view(-1)));
    }

    [Fact]
    public void The_same_seed_makes_the_same_weights_whatever_the_global_generator_did()
    {
        using DecoderModel first = DecoderModel.Create(Some.Config(), 7);
        _ = rand(100);
        using DecoderModel second = DecoderModel.Create(Some.Config(), 7), other = DecoderModel.Create(Some.Config(), 8);
        Tensor Weight(DecoderModel model) => model.Linears["model.layers.1.mlp.up_proj"].DenseWeight();
        Assert.True(Some.Same(Weight(first), Weight(second)));
        Assert.False(Some.Same(Weight(first), Weight(other)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Checkpointing_changes_no_gradient(bool full)
    {
        using DecoderModel model = Some.Model();
        using LoraAdapter adapter = Some.Adapter(model, options: new LoraOptions { Rank = 4, Dropout = 0.3 });
        model.SetTrainable(full);
        Tensor ids = Some.Ids(2, 9);
        (List<Tensor> Gradients, long Live) Run(bool checkpointing)
        {
            using var generator = new Generator(3);
            long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            using (NewDisposeScope())
            {
                Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.All(adapter), Training = true, Generator = generator, ActivationCheckpointing = checkpointing }).square().mean().backward();
            }

            List<Tensor> gradients = [.. adapter.parameters().Concat(full ? model.parameters() : []).Select(parameter => parameter.grad!.clone())];
            long live = DisposeScopeManager.Statistics.ThreadTotalLiveCount - before - gradients.Count;
            adapter.parameters().Concat(model.parameters()).ToList().ForEach(parameter => parameter.grad?.zero_());
            return (gradients, live);
        }

        List<Tensor> expected = Run(false).Gradients;
        Run(true);
        (List<Tensor> actual, long live) = Run(true);
        Assert.All(expected.Zip(actual), pair => Some.Close(pair.First, pair.Second, 1e-6));
        Assert.Equal(Run(false).Live, live);
    }

    [Fact]
    public void Passes_leave_no_tensor_behind()
    {
        using DecoderModel model = Some.Model();
        using LoraAdapter adapter = Some.Adapter(model, options: new LoraOptions { Rank = 4, Dropout = 0.1, UseDora = true });
        using var cache = new KeyValueCache(model, 2, 64);
        using var generator = new Generator(1);
        Tensor ids = Some.Ids(2, 8);
        void Step()
        {
            using var scope = NewDisposeScope();
            var pass = new ForwardPass { Adapters = AdapterSelection.PerRow([adapter, null]), Training = true, Generator = generator };
            using (Tensor loss = Some.Logits(model, ids, pass).square().mean())
            {
                loss.backward();
            }

            foreach (var parameter in adapter.parameters())
            {
                parameter.grad?.Dispose();
                parameter.grad = null;
            }

            Some.Logits(model, ids, new ForwardPass { Cache = cache, Adapters = AdapterSelection.All(adapter) });
            cache.Truncate(0, 0);
            cache.Truncate(1, 0);
        }

        Step();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 20; i++)
        {
            Step();
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}
