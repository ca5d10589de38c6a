using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

public sealed class Nf4Tests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void A_normal_weight_loses_what_the_paper_says_and_no_more()
    {
        Tensor weight = randn([256, 512], generator: new Generator(1)) * 0.02;
        using Nf4Weight quantized = Nf4.Quantize(weight);
        Tensor back = quantized.Dequantize(), error = back - weight;

        // NF4 with blocks of 64 rounds normal weights with about 9.3 % relative root-mean-square error; the second quantization adds almost nothing.
        double relative = (error.square().mean().sqrt() / weight.square().mean().sqrt()).item<float>();
        Assert.InRange(relative, 0.085, 0.10);

        // No weight is further off than half the widest gap of the code book times its block's scale (with 3 % for the scale's own rounding).
        Tensor scale = weight.view(-1, 64).abs().amax([1], keepdim: true);
        Assert.True((error.view(-1, 64).abs() <= scale * (0.152 + 0.03)).all().item<bool>());
        Assert.Equal(0, error.mean().item<float>(), 3e-4);
    }

    /// <summary>Expected values: <c>Reference/make_nf4_reference.py</c>.</summary>
    [Theory]
    [InlineData("odd")]
    [InlineData("heavy")]
    [InlineData("zeros")]
    public void Dequantized_values_are_those_of_bitsandbytes(string name)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(AppContext.BaseDirectory, "Reference", "nf4", "bitsandbytes.safetensors"));
        using Nf4Weight quantized = Nf4.Quantize(file.View(name), ScalarType.Float32);
        Tensor expected = file.View(name + ".dequantized");
        // The mean of the block scales is a sum, whose last bits are the processor's.
        Assert.True(quantized.Dequantize().isclose(expected, rtol: 1e-6, atol: 0).all().item<bool>());
    }

    [Fact]
    public void Only_four_bits_and_an_eighth_stay_resident()
    {
        using Nf4Weight quantized = Nf4.Quantize(randn([1024, 1024], generator: new Generator(1)));
        Assert.InRange(quantized.ByteCount * 8.0 / (1024 * 1024), 4.12, 4.13);
    }

    [Fact]
    public void Values_of_the_code_book_come_back_up_to_their_scale()
    {
        Tensor weight = tensor([.. Enumerable.Range(0, 128).Select(i => 0.5f * Nf4.Codes[i % 16])]).view(2, 64);
        using Nf4Weight quantized = Nf4.Quantize(weight);
        Some.Close(weight, quantized.Dequantize(), 1e-6);
    }

    [Theory]
    [InlineData(3, 21)] // neither blocks of 64 nor pairs come out even
    [InlineData(1, 1)]
    [InlineData(130, 129)]
    public void Odd_shapes_and_zero_blocks_survive(int rows, int columns)
    {
        Tensor weight = randn([rows, columns], generator: new Generator(2));
        using Nf4Weight quantized = Nf4.Quantize(weight), empty = Nf4.Quantize(zeros(rows, columns));
        Assert.InRange(Some.Difference(quantized.Dequantize(), weight), 0, 0.2);
        Assert.Equal(0, empty.Dequantize().abs().max().item<float>());
        Assert.Throws<ArgumentException>(() => Nf4.Quantize(weight * float.NaN));
    }

    [Fact]
    public void The_processors_kernel_makes_bit_by_bit_what_libtorchs_operators_make()
    {
        Assert.SkipUnless(Nf4Kernel.Fits(CPU), "this processor has no AVX2");
        Tensor table = randn([3000, 64], generator: new Generator(5));
        table[1] = zeros(64);
        table[2] = tensor(1e-38f);
        table[3] = tensor([.. Enumerable.Range(0, 64).Select(i => i < 15 ? Nf4.Middles[i] : i < 31 ? Nf4.Codes[i - 15] : 1f)]); // on the border, and in the middle of a code
        (Tensor largest, Tensor codes) = Nf4.Encode(table);
        (Tensor kernelLargest, Tensor kernelCodes) = Nf4Kernel.Encode(table);
        Assert.True(largest.equal(kernelLargest).all().item<bool>());
        Assert.True(codes.equal(kernelCodes).all().item<bool>());

        Tensor book = tensor(Nf4.Codes), halves = stack([codes.div(16, RoundingMode.floor), codes.remainder(16)], 1).view(-1).to(ScalarType.Int64);
        Assert.True((book.index_select(0, halves).view(3000, 64) * largest.unsqueeze(1)).equal(Nf4Kernel.Decode(codes, largest)).all().item<bool>());

        table[4, 5] = tensor(float.NegativeInfinity);
        table[5, 60] = tensor(float.NaN);
        Assert.Equal([true, false, false, true], Nf4Kernel.Encode(table).Largest.isfinite()[TensorIndex.Slice(3, 7)].data<bool>());
    }

    [Fact]
    public void Forward_and_backward_equal_those_of_the_dequantized_model()
    {
        using var folder = Some.Folder();
        using (DecoderModel original = Some.Model())
        {
            original.Save(folder.Path);
        }

        using DecoderModel model = DecoderModel.Load(folder.Path, new ModelLoadOptions { Quantization = Quantization.NF4 }), dense = DecoderModel.Load(folder.Path);
        var parameters = dense.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        using (no_grad())
        {
            foreach (LinearLayer layer in model.Linears.Values)
            {
                parameters[layer.ModuleName + ".weight"].copy_(layer.DenseWeight());
            }
        }

        Assert.Equal(dense.ParameterCount, model.ParameterCount);
        Assert.True(model.Linears.Values.Sum(layer => layer.WeightBytes) * 7 < dense.Linears.Values.Sum(layer => layer.WeightBytes));
        Tensor ids = Some.Ids(2, 9);
        List<Tensor> Gradients(DecoderModel which, bool dora)
        {
            using LoraAdapter adapter = Some.Adapter(which, options: new LoraOptions { Rank = 4, UseDora = dora });
            Tensor logits = Some.Logits(which, ids, new ForwardPass { Adapters = AdapterSelection.All(adapter) });
            logits.square().mean().backward();
            return [logits.detach(), .. adapter.parameters().Select(parameter => parameter.grad!.clone())];
        }

        foreach (bool dora in (bool[])[false, true])
        {
            foreach ((Tensor expected, Tensor actual) in Gradients(dense, dora).Zip(Gradients(model, dora)))
            {
                Some.Close(expected, actual);
            }
        }

        Assert.Throws<InvalidOperationException>(() => model.Save(folder.Path));
    }

    [Fact]
    public async Task Two_trainings_at_once_give_the_gradients_of_each_alone()
    {
        using var folder = Some.Folder();
        using (DecoderModel original = Some.Model())
        {
            original.Save(folder.Path);
        }

        using DecoderModel model = DecoderModel.Load(folder.Path, new ModelLoadOptions { Quantization = Quantization.NF4 });
        byte[] Train(int seed)
        {
            using var scope = NewDisposeScope();
            using LoraAdapter adapter = Some.Adapter(model, seed, new LoraOptions { Rank = 4, Dropout = 0.2 });
            using var generator = new Generator((ulong)seed);
            for (int step = 0; step < 10; step++)
            {
                using var stepScope = NewDisposeScope();
                var pass = new ForwardPass { Adapters = AdapterSelection.All(adapter), Training = true, Generator = generator, ActivationCheckpointing = step % 2 == 1 };
                Some.Logits(model, Some.Ids(2, 9, seed + step), pass).square().mean().backward();
            }

            return [.. adapter.parameters().SelectMany(parameter => parameter.grad!.bytes.ToArray())];
        }

        byte[][] alone = [Train(1), Train(2)];
        byte[][] together = await Task.WhenAll(Task.Run(() => Train(1)), Task.Run(() => Train(2)));
        Assert.Equal(alone[0], together[0]);
        Assert.Equal(alone[1], together[1]);
    }

    [Fact]
    public void Training_passes_through_four_bit_weights_leave_no_tensor_behind()
    {
        using var folder = Some.Folder();
        using (DecoderModel original = Some.Model())
        {
            original.Save(folder.Path);
        }

        using DecoderModel model = DecoderModel.Load(folder.Path, new ModelLoadOptions { Quantization = Quantization.NF4 });
        using LoraAdapter adapter = Some.Adapter(model);
        Tensor ids = Some.Ids(2, 9);
        void Step()
        {
            using var scope = NewDisposeScope();
            Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.All(adapter) }).square().mean().backward();
            foreach (var parameter in adapter.parameters())
            {
                parameter.grad?.zero_();
            }
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
