namespace LangTrain.Inference;

/// <summary>Sizes of one engine.</summary>
public sealed record EngineOptions
{
    /// <summary>Most sequences in a batch; fewer where <see cref="CacheBytes"/> holds fewer. Default 64.</summary>
    public int MaxRows { get; init; } = 64;

    /// <summary>Memory for keys and values of all rows, allocated once. Default 1 GiB.</summary>
    public long CacheBytes { get; init; } = 1L << 30;

    /// <summary>Most tokens of one sequence; null is the model's context length, or what <see cref="CacheBytes"/> holds for one row.</summary>
    public int? MaxSequenceTokens { get; init; }

    /// <summary>Requests that may wait for a row; one more is refused. Default 256.</summary>
    public int QueueCapacity { get; init; } = 256;

    /// <summary>Prompt tokens read in one step while other rows generate: the longest that a long prompt holds them up. Default 128.</summary>
    public int PrefillChunkTokens { get; init; } = 128;

    /// <summary>Prompt tokens read in one step while no row generates. Default 512.</summary>
    public int IdlePrefillChunkTokens { get; init; } = 512;

    /// <summary>Reuse cached prompts of ended and of running rows where a new prompt begins alike. Default true.</summary>
    public bool ReusePrefixes { get; init; } = true;

    /// <summary>
    /// Compute with kernels of our own where they know the model (on the CPU nearly all families): faster, and a row's numbers do not depend on its
    /// company to the last bit. False is libtorch for everything. Default true.
    /// </summary>
    public bool UseCpuKernels { get; init; } = true;

    /// <summary>
    /// Read prompts with products of bfloat16 operands (sums stay float32) where the weights are bfloat16, too: about twice as fast on processors with
    /// instructions for it, slow on others. A prompt's numbers are then good to about three digits, and may depend in the last of them on how it was
    /// cut into chunks. Rows that generate stay exact. Default false.
    /// </summary>
    public bool BFloat16Prompts { get; init; }

    /// <summary>Name of the model in metrics and logs.</summary>
    public string ModelName { get; init; } = "model";
}
