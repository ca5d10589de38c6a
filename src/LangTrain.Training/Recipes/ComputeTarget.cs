using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Training.Recipes;

/// <summary>Where a run computes and in what: worked out once, from the options and the machine.</summary>
/// <param name="Device">The GPU where libtorch has one, else the CPU.</param>
/// <param name="Dtype">Of products, and of a frozen base.</param>
internal sealed record ComputeTarget(Device Device, ScalarType Dtype)
{
    private const int SmallestWidth = 256;

    /// <param name="options">The run's options.</param>
    /// <param name="model">Its base model, whose size matters to <see cref="ComputeDtype.Auto"/>.</param>
    public static ComputeTarget Of(TrainingOptions options, ModelConfig model)
    {
        TorchSetup.Initialize();
        var hasGpu = cuda.is_available();
        var isNarrow = options.ComputeDtype == ComputeDtype.BFloat16 || (options.ComputeDtype == ComputeDtype.Auto
            && (hasGpu || (ProcessorFeatures.HasBFloat16Products && model.HiddenSize >= SmallestWidth)));
        return new ComputeTarget(hasGpu ? CUDA : CPU, isNarrow ? ScalarType.BFloat16 : ScalarType.Float32);
    }
}
