using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Training.Recipes;

/// <summary>Where a run computes and in what: worked out once, from the options and the machine.</summary>
/// <param name="Device">The GPU where libtorch has one, else the CPU.</param>
/// <param name="Dtype">Of products, and of a frozen base.</param>
/// <param name="Int16Products">Products with weights are made in 16-bit integers, in place of a bfloat16 that this processor has no instructions for.</param>
internal sealed record ComputeTarget(Device Device, ScalarType Dtype, bool Int16Products)
{
    private const int SmallestWidth = 256;

    /// <param name="options">The run's options.</param>
    /// <param name="model">Its base model, whose size matters to <see cref="ComputeDtype.Auto"/>.</param>
    public static ComputeTarget Of(TrainingOptions options, ModelConfig model)
    {
        TorchSetup.Initialize();
        return cuda.is_available()
            ? new ComputeTarget(CUDA, options.ComputeDtype == ComputeDtype.Float32 ? ScalarType.Float32 : ScalarType.BFloat16, Int16Products: false)
            : OnCpu(options.ComputeDtype, model.HiddenSize, ProcessorFeatures.HasBFloat16Products, ProcessorFeatures.HasFasterInt16Products);
    }

    /// <param name="wanted">The run's option.</param>
    /// <param name="width">The model's hidden size.</param>
    /// <param name="hasBFloat16">See <see cref="ProcessorFeatures.HasBFloat16Products"/>.</param>
    /// <param name="hasInt16">See <see cref="ProcessorFeatures.HasFasterInt16Products"/>.</param>
    internal static ComputeTarget OnCpu(ComputeDtype wanted, int width, bool hasBFloat16, bool hasInt16)
    {
        var isAuto = wanted == ComputeDtype.Auto;
        var isNarrow = wanted == ComputeDtype.BFloat16 || (isAuto && width >= SmallestWidth && (hasBFloat16 || hasInt16));
        var int16 = isNarrow && hasInt16 && !hasBFloat16;
        return new ComputeTarget(CPU, isNarrow && !int16 ? ScalarType.BFloat16 : ScalarType.Float32, int16);
    }
}
