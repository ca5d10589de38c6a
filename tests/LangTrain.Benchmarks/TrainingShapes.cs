using LangTrain.Modeling;

namespace LangTrain.Benchmarks;

/// <summary>A Llama shape with the micro-batch that it is timed with.</summary>
/// <param name="Config">The architecture.</param>
/// <param name="Rows">B.</param>
/// <param name="Length">T.</param>
internal sealed record TrainingShape(ModelConfig Config, int Rows, int Length)
{
    public static TrainingShape Of(string name) => name switch
    {
        "15m" => new(ModelConfig.ForLlama(32000, 288, 6, 6, 6, 768, 256), 4, 256),
        "110m" => new(ModelConfig.ForLlama(32000, 768, 12, 12, 12, 2048, 256), 2, 256),
        "1m" => new(ModelConfig.ForLlama(2048, 128, 5, 4, 4, 384, 256), 16, 256),
        "demo" => new(ModelConfig.ForLlama(2048, 128, 5, 4, 4, 384, 256), 8, 48),
        // Two narrow layers under a vocabulary of 128k: the full logits of 4,096 positions take 2.1 GB, their gradient as much.
        "128k" => new(ModelConfig.ForLlama(128_256, 256, 2, 4, 4, 512, 1024), 4, 1024),
        _ => throw new ArgumentException($"Unknown shape {name}; there are 15m, 110m, 1m, demo and 128k."),
    };
}
