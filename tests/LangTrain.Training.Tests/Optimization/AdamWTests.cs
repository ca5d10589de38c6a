using LangTrain.Training.Optimization;
using static TorchSharp.torch;

namespace LangTrain.Training.Tests.Optimization;

public sealed class AdamWTests
{
    private static readonly AdamWOptions Options = new(0.9, 0.999, 1e-8, 0.1);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Three_updates_equal_the_published_algorithm(bool isFused)
    {
        // The reference is arXiv:1711.05101, algorithm 2, in plain doubles.
        using var scope = NewDisposeScope();
        double[] weights = [0.5, -1.25, 3.0, 0.01];
        double[] first = new double[4], second = new double[4];
        var parameter = tensor(weights, [2, 2], requires_grad: true);
        using var optimizer = new AdamW([new TrainedParameter("w", parameter, HasWeightDecay: true)], Options, isFused);
        for (var update = 1; update <= 3; update++)
        {
            double[] gradient = [0.1 * update, -2.0, 1e-3, 0.7 / update];
            parameter.grad = tensor(gradient, [2, 2]);
            optimizer.Step(0.01);
            for (var i = 0; i < 4; i++)
            {
                first[i] = 0.9 * first[i] + 0.1 * gradient[i];
                second[i] = 0.999 * second[i] + 0.001 * gradient[i] * gradient[i];
                var firstUnbiased = first[i] / (1 - Math.Pow(0.9, update));
                var secondUnbiased = second[i] / (1 - Math.Pow(0.999, update));
                weights[i] -= 0.01 * (firstUnbiased / (Math.Sqrt(secondUnbiased) + 1e-8) + 0.1 * weights[i]);
            }
        }

        var actual = parameter.data<double>().ToArray();
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(weights[i], actual[i], 1e-12);
        }
    }

    [Fact]
    public void Vectors_are_not_decayed()
    {
        using var scope = NewDisposeScope();
        var norm = new TorchSharp.Modules.Parameter(ones(3));
        var matrix = new TorchSharp.Modules.Parameter(ones(3, 3));
        var parameters = TrainedParameter.From([("norm", norm), ("matrix", matrix)]);
        using var optimizer = new AdamW(parameters, Options);
        norm.grad = zeros(3);
        matrix.grad = zeros(3, 3);
        optimizer.Step(0.1);
        Assert.Equal(1f, norm[0].item<float>());
        Assert.Equal(0.99f, matrix[0, 0].item<float>(), 1e-6f);
    }

    [Fact]
    public void Restored_state_goes_on_to_the_last_bit()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var start = randn([5, 7], generator: generator);
        var gradients = Enumerable.Range(0, 4).Select(_ => randn([5, 7], generator: generator)).ToArray();

        var whole = start.clone().requires_grad_();
        using var wholeOptimizer = new AdamW([new("w", whole, true)], Options);
        Steps(wholeOptimizer, whole, gradients);

        var half = start.clone().requires_grad_();
        using var halfOptimizer = new AdamW([new("w", half, true)], Options);
        Steps(halfOptimizer, half, gradients[..2]);
        var resumed = half.detach().clone().requires_grad_();
        using var resumedOptimizer = new AdamW([new("w", resumed, true)], Options);
        resumedOptimizer.Restore(halfOptimizer.State(), halfOptimizer.Updates);
        Steps(resumedOptimizer, resumed, gradients[2..]);

        Assert.Equal(whole.data<float>().ToArray(), resumed.data<float>().ToArray());
    }

    private static void Steps(AdamW optimizer, Tensor parameter, Tensor[] gradients)
    {
        foreach (var gradient in gradients)
        {
            parameter.grad = gradient.clone();
            optimizer.Step(1e-2);
            optimizer.ClearGradients();
            Assert.Null(parameter.grad);
        }
    }
}
