using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

/// <summary>Attention of a training pass, by its own kernel, beside softmax(q·kᵀ)·v written out in double precision.</summary>
[Collection(ThreadCounts.Name)]
public sealed class TrackedAttentionTests : IDisposable
{
    private const double Scale = 0.3;
    private readonly DisposeScopeOfTest _scope = new();

    public void Dispose() => _scope.Dispose();

    /// <param name="batch">B.</param>
    /// <param name="tokens">T: below, at and beyond a block of 48.</param>
    /// <param name="heads">H.</param>
    /// <param name="keyHeads">K.</param>
    /// <param name="size">D.</param>
    /// <param name="window">Of a sliding window, or 0.</param>
    /// <param name="isPacked">Rows of three segments, the last of them padding.</param>
    [Theory]
    [InlineData(1, 1, 1, 1, 16, 0, false)]
    [InlineData(2, 5, 2, 2, 16, 0, false)]
    [InlineData(1, 47, 2, 1, 32, 0, false)]
    [InlineData(2, 48, 4, 2, 48, 0, false)]
    [InlineData(1, 49, 3, 3, 64, 0, false)]
    [InlineData(2, 200, 4, 2, 64, 0, false)]
    [InlineData(1, 150, 2, 2, 32, 20, false)]
    [InlineData(2, 130, 4, 2, 16, 0, true)]
    [InlineData(2, 130, 2, 2, 16, 33, true)]
    public void Answers_and_gradients_equal_the_written_out_ones(int batch, int tokens, int heads, int keyHeads, int size, int window, bool isPacked)
    {
        Assert.SkipUnless(TileProduct.IsSupported, "this processor has no fused multiply-add");
        using var generator = new Generator(7);
        Tensor Random(long count) => randn([batch, tokens, count, size], generator: generator);
        (Tensor q, Tensor k, Tensor v, Tensor gradient) = (Random(heads), Random(keyHeads), Random(keyHeads), Random(heads));
        Tensor? segments = isPacked ? tensor(Enumerable.Range(0, batch * tokens).Select(i => i % tokens < 30 + i / tokens ? 1L : i % tokens < 100 ? 2L : 0L).ToArray()).view(batch, tokens) : null;
        var mask = AttentionMask.Create(new ForwardPass { Segments = segments }, null, batch, tokens, window == 0 ? null : window, CPU, ScalarType.Float64);

        (Tensor wideQ, Tensor wideK, Tensor wideV) = (Wide(q), Wide(k), Wide(v));
        Tensor allowed = mask.Additive ?? (mask.IsCausal ? zeros([tokens, tokens], ScalarType.Float64).masked_fill(ones([tokens, tokens], ScalarType.Bool).triu(1), double.NegativeInfinity) : zeros([1], ScalarType.Float64));
        Tensor Repeated(Tensor x) => x.repeat_interleave(heads / keyHeads, 2).transpose(1, 2);
        Tensor expected = (wideQ.transpose(1, 2).matmul(Repeated(wideK).transpose(-2, -1)) * Scale + allowed).softmax(-1).matmul(Repeated(wideV)).transpose(1, 2);
        expected.backward([gradient.to(ScalarType.Float64)]);

        var firstKeys = AttentionMask.OfFirstKeys(segments, tokens, window == 0 ? null : window);
        (Tensor result, Tensor sums) = TrackedAttention.Forward(q, k, v, firstKeys, Scale);
        (Tensor dq, Tensor dk, Tensor dv) = TrackedAttention.Backward(gradient, result, sums, q, k, v, firstKeys, Scale);

        foreach ((Tensor got, Tensor wanted) in new[] { (result, expected), (dq, wideQ.grad!), (dk, wideK.grad!), (dv, wideV.grad!) })
        {
            Assert.True((got.to(ScalarType.Float64) - wanted).abs().max().item<double>() < 2e-5, "differs by " + (got.to(ScalarType.Float64) - wanted).abs().max().item<double>());
        }
    }

    [Fact]
    public void Results_do_not_depend_on_the_number_of_threads()
    {
        Assert.SkipUnless(TileProduct.IsSupported, "this processor has no fused multiply-add");
        Tensor q = randn(3, 70, 6, 32), k = randn(3, 70, 2, 32), v = randn(3, 70, 2, 32), gradient = randn_like(q);
        var mask = AttentionMask.OfFirstKeys(null, 70, null);
        Tensor[] All()
        {
            (Tensor result, Tensor sums) = TrackedAttention.Forward(q, k, v, mask, Scale);
            (Tensor dq, Tensor dk, Tensor dv) = TrackedAttention.Backward(gradient, result, sums, q, k, v, mask, Scale);
            return [result, dq, dk, dv];
        }

        int threads = get_num_threads();
        try
        {
            set_num_threads(1);
            Tensor[] alone = All();
            set_num_threads(Math.Max(3, threads));
            Assert.All(alone.Zip(All()), pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>()));
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Fact]
    public void The_exponential_is_within_two_units_in_the_last_place()
    {
        Assert.SkipUnless(TileProduct.IsSupported, "this processor has no fused multiply-add");
        for (float x = -86.9f; x < 80; x += 0.0137f)
        {
            float exact = (float)Math.Exp(x);
            Assert.True(Math.Abs(RowMath.Exp(Vector256.Create(x))[0] - exact) <= 2 * (MathF.BitIncrement(exact) - exact), $"e^{x}");
        }

        Assert.Equal(0, RowMath.Exp(Vector256.Create(-90f))[0]);
        Assert.Equal(0, RowMath.Exp(Vector256.Create(float.NegativeInfinity))[0]);
        Assert.Equal(float.NaN, RowMath.Exp(Vector256.Create(float.NaN))[0]);
    }

    private static Tensor Wide(Tensor x) => x.to(ScalarType.Float64).requires_grad_();
}
