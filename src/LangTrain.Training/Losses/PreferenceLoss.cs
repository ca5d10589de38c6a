using LangTrain.Modeling;
using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Training.Losses;

/// <summary>Direct preference optimization of P pairs, from the log-probabilities of whole answers.</summary>
/// <remarks>
/// arXiv:2305.18290, equation 7: with the reward of an answer r = beta * (log p - log p of the reference), the loss of a pair is
/// -log sigmoid(r chosen - r rejected).
/// </remarks>
/// <param name="Losses">[P], fp64.</param>
/// <param name="Margins">[P], fp64: by how much the chosen answer's reward is above the rejected one's.</param>
/// <param name="RowWeights">[2P], fp64: the derivative of a pair's loss by minus the log-probability of each of its answers.</param>
internal sealed record PreferenceLoss(Tensor Losses, Tensor Margins, Tensor RowWeights)
{
    /// <summary>The loss of pairs.</summary>
    /// <param name="logProbabilities">[2P], fp64: chosen and rejected answers in turn.</param>
    /// <param name="reference">[2P], fp64: the same of the reference.</param>
    /// <param name="beta">Above 0.</param>
    /// <returns>Fresh tensors, owned by the caller's scope.</returns>
    public static PreferenceLoss Of(Tensor logProbabilities, Tensor reference, double beta)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var rewards = (logProbabilities - reference).mul_(Scalars.Of(beta)).view(-1, 2); // [P, 2]
        var margins = rewards.select(1, 0) - rewards.select(1, 1); // [P]
        var losses = nn.functional.logsigmoid(margins).neg_();
        var pull = margins.neg().sigmoid_().mul_(Scalars.Of(beta)); // [P]
        return new PreferenceLoss(losses, margins, stack([pull, -pull], 1).flatten()).MoveTo(scope);
    }

    /// <summary>Hands the tensors to the scope around.</summary>
    public PreferenceLoss MoveTo(DisposeScope inner)
    {
        inner.MoveToOuter(Losses, Margins, RowWeights);
        return this;
    }

    /// <summary>Sums over the pairs.</summary>
    /// <returns>[3], fp64: loss, margin, and pairs whose chosen answer has the higher reward; fresh, owned by the caller's scope.</returns>
    public Tensor Sums()
    {
        using var scope = NewDisposeScope();
        return scope.MoveToOuter(stack([Losses.sum(), Margins.sum(), Margins.gt(Scalars.Of(0)).sum(ScalarType.Float64)]));
    }
}
