using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

/// <summary>Products of a few rows beside the same in double precision.</summary>
public sealed class FewRowsProductTests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();
    private readonly Generator _generator = new(3);

    public FewRowsProductTests() => Assert.SkipUnless(System.Runtime.Intrinsics.X86.Fma.IsSupported, "this processor has no FMA");

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    /// <param name="rows">N: whole tiles of 4, and some left over.</param>
    /// <param name="inputs">Whole vectors of 8 and blocks of 512, and parts of them.</param>
    /// <param name="outputs">Pairs, and one left over.</param>
    [Theory]
    [InlineData(1, 3, 1)]
    [InlineData(4, 512, 2)]
    [InlineData(7, 1031, 129)]
    [InlineData(16, 520, 4097)]
    public void Products_are_those_of_double_precision_and_no_row_depends_on_others(int rows, int inputs, int outputs)
    {
        Tensor x = randn([rows, inputs], generator: _generator), weight = randn([outputs, inputs], generator: _generator);
        Assert.True(FewRowsProduct.Fits(x));
        Tensor product = FewRowsProduct.Forward(x, weight);
        Tensor expected = x.to(ScalarType.Float64).matmul(weight.t().to(ScalarType.Float64));
        Assert.InRange((product.to(ScalarType.Float64) - expected).abs().max().item<double>(), 0, 1e-6 * inputs);
        for (int row = 0; row < rows; row++)
        {
            Assert.True(product[row].equal(FewRowsProduct.Forward(x.narrow(0, row, 1), weight)[0]).all().item<bool>());
        }

        // Neither factor needs to lie in memory row by row.
        Assert.True(product.equal(FewRowsProduct.Forward(x.t().contiguous().t(), weight.t().contiguous().t())).all().item<bool>());
    }

    [Theory]
    [InlineData(128, 33)]
    [InlineData(96, 33)] // A block of codes goes on in the next row.
    public void A_quantized_weight_gives_what_its_dense_copy_gives(int inputs, int outputs)
    {
        using Nf4Weight quantized = Nf4.Quantize(randn([outputs, inputs], generator: _generator));
        Tensor x = randn([2, 3, inputs], generator: _generator), bias = randn([outputs], generator: _generator);
        Tensor product = quantized.Multiply(x, bias), dense = quantized.Dequantize();
        Assert.Equal([2, 3, outputs], product.shape);
        Tensor expected = FewRowsProduct.Forward(x.view(6, inputs), dense).view(2, 3, outputs) + bias;
        Assert.True(product.equal(expected).all().item<bool>());
    }
}
