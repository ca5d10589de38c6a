using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

/// <summary>Holds autograd's gradients against central differences in Float64, at a few entries of every tensor.</summary>
internal static class FiniteDifferences
{
    public static void Check(IReadOnlyList<string> names, IReadOnlyList<Tensor> parameters, Func<Tensor> loss)
    {
        const double step = 1e-5;
        using (Tensor value = loss())
        {
            value.backward();
        }

        using var frozen = no_grad();
        for (int p = 0; p < parameters.Count; p++)
        {
            using var scope = NewDisposeScope();
            Assert.True(parameters[p].grad is not null, $"{names[p]} has no gradient.");
            Tensor data = parameters[p].view(-1), gradient = parameters[p].grad!.view(-1);
            double largest = gradient.abs().max().item<double>();
            for (long i = 0; i < data.numel(); i += Math.Max(1, data.numel() / 5))
            {
                double original = data[i].item<double>();
                double At(double x)
                {
                    data[i] = tensor(x);
                    return loss().item<double>();
                }

                double expected = (At(original + step) - At(original - step)) / (2 * step);
                data[i] = tensor(original);
                double actual = gradient[i].item<double>();
                Assert.True(Math.Abs(expected - actual) <= 1e-6 * Math.Max(largest, 1e-3) + 1e-9, $"{names[p]}[{i}]: gradient {actual}, by differences {expected}.");
            }
        }
    }
}
