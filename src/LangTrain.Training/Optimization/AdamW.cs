using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Training.Optimization;

/// <summary>AdamW with decoupled weight decay over a fixed list of parameters.</summary>
/// <remarks>
/// arXiv:1711.05101, algorithm 2, with torch.optim.AdamW's order of operations. Owns its moment tensors, which have the dtype
/// and device of their parameter. One run, one thread.
/// </remarks>
internal sealed class AdamW : IDisposable
{
    private readonly IReadOnlyList<TrainedParameter> _parameters;
    private readonly AdamWOptions _options;
    private readonly Tensor[] _firstMoments;
    private readonly Tensor[] _secondMoments;
    private readonly bool _isFused;

    /// <param name="parameters">What learns; leaf tensors that need a gradient.</param>
    /// <param name="options">The constants.</param>
    /// <param name="isFused">One kernel over all tensors; false takes the same algorithm operator by operator.</param>
    public AdamW(IReadOnlyList<TrainedParameter> parameters, AdamWOptions options, bool isFused = true)
    {
        _parameters = parameters;
        _options = options;
        _isFused = isFused;
        _firstMoments = [.. parameters.Select(p => Zeros(p.Value))];
        _secondMoments = [.. parameters.Select(p => Zeros(p.Value))];
    }

    /// <summary>Updates made; the bias correction depends on it.</summary>
    public int Updates { get; private set; }

    /// <summary>Changes every parameter that has a gradient; gradients stay as they are.</summary>
    /// <param name="learningRate">This step's learning rate.</param>
    public void Step(double learningRate)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Updates++;
        if (_isFused)
        {
            StepFused(learningRate);
        }
        else
        {
            StepByOperator(learningRate);
        }
    }

    private void StepFused(double learningRate)
    {
        var update = tensor((float)Updates);
        foreach (var hasWeightDecay in new[] { true, false })
        {
            var learning = Enumerable.Range(0, _parameters.Count)
                .Where(i => _parameters[i].HasWeightDecay == hasWeightDecay)
                .Select(i => (Index: i, Gradient: _parameters[i].Value.grad))
                .Where(p => p.Gradient is not null)
                .ToArray();
            if (learning.Length > 0)
            {
                FusedAdamW.Step(
                    [.. learning.Select(p => _parameters[p.Index].Value)], [.. learning.Select(p => p.Gradient!)],
                    [.. learning.Select(p => _firstMoments[p.Index])], [.. learning.Select(p => _secondMoments[p.Index])],
                    update.to(_parameters[learning[0].Index].Value.device), learningRate, hasWeightDecay ? _options.WeightDecay : 0, _options);
            }
        }
    }

    private void StepByOperator(double learningRate)
    {
        var firstCorrection = 1 - Math.Pow(_options.Beta1, Updates);
        var secondCorrectionRoot = Math.Sqrt(1 - Math.Pow(_options.Beta2, Updates));
        for (var i = 0; i < _parameters.Count; i++)
        {
            var parameter = _parameters[i];
            if (parameter.Value.grad is not { } gradient)
            {
                continue;
            }

            if (parameter.HasWeightDecay && _options.WeightDecay > 0)
            {
                parameter.Value.mul_(Scalars.Of(1 - learningRate * _options.WeightDecay));
            }

            _firstMoments[i].lerp_(gradient, 1 - _options.Beta1);
            _secondMoments[i].mul_(Scalars.Of(_options.Beta2)).addcmul_(gradient, gradient, Scalars.Of(1 - _options.Beta2));
            var denominator = _secondMoments[i].sqrt().div_(Scalars.Of(secondCorrectionRoot)).AddInPlace(_options.Epsilon);
            parameter.Value.addcdiv_(_firstMoments[i], denominator, Scalars.Of(-learningRate / firstCorrection));
        }
    }

    /// <summary>Forgets all gradients; their memory is freed.</summary>
    public void ClearGradients()
    {
        foreach (var parameter in _parameters)
        {
            if (parameter.Value.grad is { } gradient)
            {
                gradient.Dispose();
                parameter.Value.grad = null;
            }
        }
    }

    /// <summary>The moments by parameter name and <c>.exp_avg</c> or <c>.exp_avg_sq</c>; still owned by the optimizer.</summary>
    public IReadOnlyDictionary<string, Tensor> State()
    {
        var state = new Dictionary<string, Tensor>(_parameters.Count * 2);
        for (var i = 0; i < _parameters.Count; i++)
        {
            state.Add(_parameters[i].Name + ".exp_avg", _firstMoments[i]);
            state.Add(_parameters[i].Name + ".exp_avg_sq", _secondMoments[i]);
        }

        return state;
    }

    /// <summary>Takes over stored moments.</summary>
    /// <param name="stored">Every name of <see cref="State"/>; values are copied.</param>
    /// <param name="updates">Updates made when they were stored.</param>
    /// <exception cref="InvalidDataException">A moment is missing or has another shape.</exception>
    public void Restore(IReadOnlyDictionary<string, Tensor> stored, int updates)
    {
        RequireFit(stored);
        using var noGrad = no_grad();
        foreach (var (name, moment) in State())
        {
            moment.copy_(stored[name]);
        }

        Updates = updates;
    }

    /// <summary>Makes sure that a stored state is one of these parameters.</summary>
    /// <exception cref="InvalidDataException">It is not; names the first tensor that is missing or of another shape.</exception>
    public void RequireFit(IReadOnlyDictionary<string, Tensor> stored)
    {
        foreach (var (name, moment) in State())
        {
            if (!stored.TryGetValue(name, out var value) || !value.shape.SequenceEqual(moment.shape))
            {
                throw new InvalidDataException($"The checkpoint's optimizer state does not fit: {name}.");
            }
        }
    }

    public void Dispose()
    {
        foreach (var moment in _firstMoments.Concat(_secondMoments))
        {
            moment.Dispose();
        }
    }

    private static Tensor Zeros(Tensor parameter)
    {
        using var noGrad = no_grad();
        return zeros_like(parameter).DetachFromDisposeScope();
    }
}

/// <summary>The constants of AdamW.</summary>
internal sealed record AdamWOptions(double Beta1, double Beta2, double Epsilon, double WeightDecay);
