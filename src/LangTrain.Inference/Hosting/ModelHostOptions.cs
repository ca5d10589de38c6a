using LangTrain.Modeling;

namespace LangTrain.Inference;

/// <summary>Sizes of a <see cref="ModelHost"/>.</summary>
public sealed record ModelHostOptions
{
    /// <summary>Weights and key-value caches of all base models together. Default 16 GiB.</summary>
    public long ModelBytes { get; init; } = 16L << 30;

    /// <summary>Adapters of each base model together. Default 1 GiB.</summary>
    public long AdapterBytes { get; init; } = 1L << 30;

    /// <summary>Sizes of each model's engine; its model name is filled in.</summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>Type, device and quantization of the weights, unless a request wants another quantization. By default Float32 on the CPU, on the file's pages.</summary>
    public ModelLoadOptions Load { get; init; } = new() { MapWeights = true };
}
