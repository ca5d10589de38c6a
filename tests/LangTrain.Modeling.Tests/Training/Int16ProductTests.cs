using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

/// <summary>Products in 16-bit integers beside the same in double precision.</summary>
[Collection(ThreadCounts.Name)]
public sealed class Int16ProductTests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();
    private readonly Generator _generator = new(3);

    public Int16ProductTests() => Assert.SkipUnless(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "this processor has no AVX2");

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    /// <param name="rows">N: whole tiles of 6, and some left over.</param>
    /// <param name="inputs">Whole blocks of 128, a part of one, an odd one.</param>
    /// <param name="outputs">Whole groups of 64 columns, and not.</param>
    [Theory]
    [InlineData(66, 128, 64)]
    [InlineData(64, 65, 129)]
    [InlineData(101, 1031, 79)]
    [InlineData(97, 200, 5000)]
    public void Products_are_four_times_as_close_as_in_bfloat16(int rows, int inputs, int outputs)
    {
        Tensor x = Random(rows, inputs), y = Random(rows, outputs), weight = Random(outputs, inputs);
        Assert.True(Int16Product.Fits(x, weight));
        Check(Int16Product.Forward(x, weight), x, weight.t());
        Check(Int16Product.Backward(y, weight), y, weight);

        static void Check(Tensor got, Tensor left, Tensor right)
        {
            Tensor expected = left.to(ScalarType.Float64).matmul(right.to(ScalarType.Float64));
            Tensor rounded = left.to(ScalarType.BFloat16).to(ScalarType.Float64).matmul(right.to(ScalarType.BFloat16).to(ScalarType.Float64));
            double apart = Apart(got.to(ScalarType.Float64), expected);
            Assert.InRange(apart, 1e-5, 6e-4);
            Assert.True(4 * apart < Apart(rounded, expected), $"{apart} is not a quarter of {Apart(rounded, expected)}");
        }

        static double Apart(Tensor got, Tensor expected) => ((got - expected).norm() / expected.norm()).item<double>();
    }

    [Fact]
    public void Whole_numbers_that_fit_are_multiplied_exactly()
    {
        // The largest of each block is what a block's largest becomes, so that every number is its own code; the sums use all bits that there are.
        Tensor x = randint(-8191, 8192, [70, 256], generator: _generator).to(ScalarType.Float32), weight = randint(-2047, 2048, [80, 256], generator: _generator).to(ScalarType.Float32);
        foreach (int first in (int[])[0, 128])
        {
            x.narrow(1, first, 1).fill_(8191);
            weight.narrow(1, first, 1).fill_(2047);
        }

        x[0].fill_(8191);
        weight[0].fill_(-2047);
        Tensor expected = x.to(ScalarType.Float64).view(70, 2, 128).transpose(0, 1).matmul(weight.to(ScalarType.Float64).view(80, 2, 128).permute(1, 2, 0)).to(ScalarType.Float32).sum([0]);
        Assert.Equal(expected.data<float>(), Int16Product.Forward(x, weight).data<float>());
    }

    [Fact]
    public void Each_row_and_block_has_its_own_scale()
    {
        Tensor x = Random(64, 384), weight = Random(64, 384);
        x[3].mul_(1e-20f);
        x[4].mul_(1e20f);
        x.narrow(1, 128, 128).mul_(1e-12f);
        Tensor expected = x.to(ScalarType.Float64).matmul(weight.to(ScalarType.Float64).t()), got = Int16Product.Forward(x, weight).to(ScalarType.Float64);
        Assert.All(Enumerable.Range(0, 64), r => Assert.InRange(((got[r] - expected[r]).norm() / expected[r].norm()).item<double>(), 0, 1e-3));
        x.fill_(1e-38f);
        Assert.Equal(0, Int16Product.Forward(x, weight).abs().max().item<float>());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void What_is_not_finite_stays_so_and_spoils_no_other_row(float value)
    {
        Tensor x = Random(64, 130), weight = Random(64, 130), y = Random(64, 64);
        Tensor before = Int16Product.Forward(x, weight), beforeBack = Int16Product.Backward(y, weight);
        x[5, 129] = value;
        Tensor after = Int16Product.Forward(x, weight);
        Assert.False(after[5].isfinite().any().item<bool>());
        after[5].copy_(before[5]);
        Assert.Equal(before.data<float>(), after.data<float>());

        weight[7, 20] = value;
        Tensor back = Int16Product.Backward(y, weight);
        Assert.False(back.select(1, 20).isfinite().any().item<bool>());
        back.select(1, 20).copy_(beforeBack.select(1, 20));
        Assert.Equal(beforeBack.data<float>(), back.data<float>());
    }

    [Fact]
    public void Results_do_not_depend_on_the_number_of_threads()
    {
        Tensor x = Random(200, 700), weight = Random(900, 700);
        int threads = get_num_threads();
        try
        {
            set_num_threads(1);
            Tensor alone = Int16Product.Forward(x, weight);
            set_num_threads(3);
            Assert.Equal(alone.data<float>(), Int16Product.Forward(x, weight).data<float>());
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    private Tensor Random(int rows, int columns) => randn([rows, columns], generator: _generator);
}
