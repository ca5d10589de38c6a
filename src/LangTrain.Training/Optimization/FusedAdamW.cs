using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Training.Optimization;

/// <summary>ATen's fused AdamW update: one pass over memory instead of eight.</summary>
internal static class FusedAdamW
{
    /// <summary>Updates parameters and moments in place.</summary>
    /// <param name="parameters">Parameters, gradients and moments: lists of equal length, equal shapes at equal places.</param>
    /// <param name="gradients">See <paramref name="parameters"/>.</param>
    /// <param name="firstMoments">See <paramref name="parameters"/>.</param>
    /// <param name="secondMoments">See <paramref name="parameters"/>.</param>
    /// <param name="update">How many updates this makes, counted from 1; scalar, fp32, on the parameters' device.</param>
    /// <param name="learningRate">This update's learning rate.</param>
    /// <param name="weightDecay">Decoupled weight decay.</param>
    /// <param name="options">The other constants.</param>
    /// <exception cref="InvalidOperationException">libtorch refuses the call.</exception>
    public static void Step(
        IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor> gradients, IReadOnlyList<Tensor> firstMoments, IReadOnlyList<Tensor> secondMoments,
        Tensor update, double learningRate, double weightDecay, AdamWOptions options) => TorchOperator.Run(
            "aten::_fused_adamw_", "",
            // self, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, state_steps
            TorchOperator.Of(parameters), TorchOperator.Of(gradients), TorchOperator.Of(firstMoments), TorchOperator.Of(secondMoments),
            TorchOperator.Of([]), TorchOperator.Of([.. parameters.Select(_ => update)]),
            // lr, beta1, beta2, weight_decay, eps, amsgrad, maximize, grad_scale, found_inf
            TorchOperator.Of(learningRate), TorchOperator.Of(options.Beta1), TorchOperator.Of(options.Beta2), TorchOperator.Of(weightDecay),
            TorchOperator.Of(options.Epsilon), TorchOperator.None, TorchOperator.None, TorchOperator.None, TorchOperator.None);
}
