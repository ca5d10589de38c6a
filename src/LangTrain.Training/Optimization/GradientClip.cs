using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Training.Optimization;

/// <summary>The norm of all gradients together, and scaling them down to a limit.</summary>
internal static class GradientClip
{
    /// <summary>The L2 norm over the gradients of all parameters.</summary>
    /// <returns>Scalar, fp32 or wider; not finite if any gradient is not. Fresh, owned by the caller's scope.</returns>
    public static Tensor Norm(IReadOnlyList<TrainedParameter> parameters)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var norms = parameters.Select(p => p.Value.grad).OfType<Tensor>().Select(g => g.norm().to_type(ScalarType.Float32)).ToArray();
        return scope.MoveToOuter(norms.Length == 0 ? zeros([]) : stack(norms).norm());
    }

    /// <summary>Scales all gradients so that their norm is at most <paramref name="limit"/>; a limit of 0 is none.</summary>
    public static void Clip(IReadOnlyList<TrainedParameter> parameters, double norm, double limit)
    {
        if (limit <= 0 || norm <= limit)
        {
            return;
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var parameter in parameters)
        {
            parameter.Value.grad?.mul_(Scalars.Of(limit / norm));
        }
    }
}
