using LangTrain.Training.Losses;
using static TorchSharp.torch;

namespace LangTrain.Training.Tests.Losses;

public sealed class ChunkedCrossEntropyTests
{
    // 700k entries of vocabulary make chunks of 16 positions, so that 37 positions are three chunks.
    private const int Vocabulary = 700_000;

    [Theory]
    [InlineData(11, 5, null)]
    [InlineData(11, 5, 3.0)]
    [InlineData(Vocabulary, 37, null)]
    public void Loss_and_gradients_equal_autograd_over_full_logits(int vocabulary, int positions, double? softCap)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var hidden = randn([positions, 4], generator: generator);
        var head = randn([vocabulary, 4], generator: generator);
        var targets = randint(0, vocabulary, [positions], dtype: ScalarType.Int64, generator: generator);

        // In double precision: autograd's own sums over 700,000 tokens in Float32 are off by 1e-3; ours are by 1e-4 for the hidden states, 2e-5 for the head.
        var (wideHidden, wideHead) = (hidden.to(ScalarType.Float64).requires_grad_(), head.to(ScalarType.Float64).requires_grad_());
        var logits = wideHidden.matmul(wideHead.t());
        logits = softCap is { } cap ? (logits / cap).tanh() * cap : logits;
        var expected = nn.functional.cross_entropy(logits, targets, reduction: nn.Reduction.Sum);
        (expected * 0.25).backward();

        var headGradient = zeros_like(head);
        var (loss, hiddenGradient) = ChunkedCrossEntropy.Backward(hidden, head, targets, 0.25, headGradient, softCap);

        var (hiddenTolerance, headTolerance) = vocabulary == Vocabulary ? (2e-4, 3e-5) : (1e-6, 1e-6);
        Assert.Equal(expected.item<double>(), loss.item<double>(), 1e-5 * expected.item<double>());
        Assert.True(hiddenGradient.to(ScalarType.Float64).allclose(wideHidden.grad!, 1e-4, hiddenTolerance));
        Assert.True(headGradient.to(ScalarType.Float64).allclose(wideHead.grad!, 1e-4, headTolerance));
    }

    [Fact]
    public void Evaluation_counts_the_most_likely_tokens()
    {
        using var scope = NewDisposeScope();
        var head = eye(4);
        var hidden = tensor(new float[] { 9, 0, 0, 0, 0, 9, 0, 0, 0, 0, 9, 0 }, [3, 4]);
        var (loss, hits) = ChunkedCrossEntropy.Evaluate(hidden, head, tensor(new long[] { 0, 1, 3 }));
        Assert.Equal(2, hits.item<long>());
        var logSum = Math.Log(Math.Exp(9) + 3);
        Assert.Equal(3 * logSum - 18, loss.item<double>(), 1e-4);
    }
}
