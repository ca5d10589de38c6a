using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>What one forward pass runs with, besides the token ids: positions, packing, cache, adapters, dropout.</summary>
/// <remarks>Owns nothing. One object may serve many passes of one thread as long as its parts fit the ids.</remarks>
public sealed class ForwardPass
{
    /// <summary>[B, T] int64, tokens from the start of each sequence; null counts from 0, or from the cached length.</summary>
    public Tensor? Positions { get; init; }

    /// <summary>
    /// [B, T] int64, for packed rows: a token attends only to tokens of its own segment at or before it. 0 marks padding. Null: each row is one sequence.
    /// Not together with a cache. <see cref="Positions"/> should start again at each segment.
    /// </summary>
    public Tensor? Segments { get; init; }

    /// <summary>Keys and values of earlier tokens; the pass appends to it and runs without gradients. Null: no cache.</summary>
    public KeyValueCache? Cache { get; init; }

    /// <summary>With a cache: the cache row of each batch row, all different; null is 0, 1, 2, … Ascending neighbours are fastest (no copy of the cache).</summary>
    public IReadOnlyList<int>? CacheRows { get; init; }

    /// <summary>With a cache: how many of the T tokens of each batch row are real (from the left); the rest is padding and is not cached. Null: all.</summary>
    public IReadOnlyList<int>? TokenCounts { get; init; }

    /// <summary>Which adapter each row uses.</summary>
    public AdapterSelection Adapters { get; init; } = AdapterSelection.None;

    /// <summary>The pass repeats tokens that <see cref="CachedTokens"/> knows.</summary>
    internal bool IsRunAgain { get; init; }

    /// <summary>Dropout of adapters is on.</summary>
    public bool Training { get; init; }

    /// <summary>
    /// Keep only each layer's input for the backward pass and compute the rest again there: much less memory, about a third more time, the same gradients.
    /// The ids, positions and segments must then live until the backward pass is over.
    /// </summary>
    public bool ActivationCheckpointing { get; init; }

    /// <summary>
    /// A training pass in Float32 on the CPU multiplies with weights in 16-bit integers: faster where <see cref="ProcessorFeatures.HasFasterInt16Products"/>, and closer than in bfloat16.
    /// </summary>
    public bool Int16Products { get; init; }

    /// <summary>Source of the dropout's randomness, on the model's device; needed where <see cref="Training"/> meets an adapter with dropout. Never the global one.</summary>
    public Generator? Generator { get; init; }
}
