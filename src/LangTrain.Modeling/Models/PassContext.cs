using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>What all layers of one pass share, made once: rotary tables, attention masks, cache plan, rows of each adapter.</summary>
internal sealed class PassContext
{
    private PassContext(ForwardPass pass) => Pass = pass;

    public ForwardPass Pass { get; }

    /// <summary>B.</summary>
    public required int Batch { get; init; }

    /// <summary>T.</summary>
    public required int Tokens { get; init; }

    /// <summary>Compute dtype.</summary>
    public required ScalarType Dtype { get; init; }

    /// <summary>Compute dtype, but at least Float32.</summary>
    public ScalarType Wide => Dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;

    /// <summary>The one adapter of all rows, if there is one.</summary>
    public LoraAdapter? Adapter => Pass.Adapters.Single;

    /// <summary>The tensors that were made for the pass, for who keeps it beyond the scope it was made in.</summary>
    public IEnumerable<Tensor> Tensors => ((Tensor?[])
        [Pass.Positions is null ? Positions : null, Rotary?.Cos, Rotary?.Sin, LocalRotary?.Cos, LocalRotary?.Sin, Mask.Additive, SlidingMask.Additive]).OfType<Tensor>();

    public CachePlan? Cache { get; private init; }

    /// <summary>Layers attend by <see cref="TrackedAttention"/>; the masks are made for it.</summary>
    public bool TracksAttention { get; private init; }

    /// <summary>What attention computes in: Float32 where <see cref="TracksAttention"/>, else the compute dtype.</summary>
    public required ScalarType AttentionDtype { get; init; }

    /// <summary>Layers are to run by <see cref="LayerCheckpoint"/>.</summary>
    public bool RunsLayerCheckpoints => Pass.ActivationCheckpointing && Cache is null && is_grad_enabled();

    /// <summary>[B or 1, T] int64.</summary>
    public required Tensor Positions { get; init; }

    /// <summary>Rotary tables of full and of sliding layers; null where positions are learned.</summary>
    public (Tensor Cos, Tensor Sin)? Rotary { get; private init; }

    public (Tensor Cos, Tensor Sin)? LocalRotary { get; private init; }

    public AttentionMask Mask { get; private init; }

    public AttentionMask SlidingMask { get; private init; }

    /// <summary>Adapters in use and the batch rows of each, [n] int64; null rows are all rows.</summary>
    public required IReadOnlyList<(LoraAdapter Adapter, Tensor? Rows)> Adapters { get; init; }

    /// <param name="config">The model.</param>
    /// <param name="ids">[B, T] int64.</param>
    /// <param name="pass">What was asked for.</param>
    /// <param name="dtype">Compute dtype.</param>
    /// <param name="isTracked">For a <see cref="DerivedPass"/>.</param>
    /// <exception cref="ArgumentException">The pass does not fit the ids.</exception>
    public static PassContext Create(ModelConfig config, Tensor ids, ForwardPass pass, ScalarType dtype, bool isTracked = false)
    {
        if (ids.dim() != 2 || ids.dtype != ScalarType.Int64 || ids.numel() == 0)
        {
            throw new ArgumentException($"ids must be int64 [B, T] and not empty; they are {ids.dtype} [{string.Join(", ", ids.shape)}].", nameof(ids));
        }

        int batch = (int)ids.shape[0], tokens = (int)ids.shape[1];
        if (pass.Segments is not null && pass.Cache is not null)
        {
            throw new ArgumentException("Segments cannot be given together with a cache.", nameof(pass));
        }

        CachePlan? cache = pass.Cache is null ? null : CachePlan.Create(pass, batch, tokens, ids.device);
        if (cache is null && tokens > config.ContextLength)
        {
            throw new ArgumentException($"{tokens} tokens are more than the model's context of {config.ContextLength}.", nameof(ids));
        }

        Tensor positions = pass.Positions ?? DefaultPositions(cache, batch, tokens, ids.device);
        if (pass.Positions is not null && (positions.dim() != 2 || positions.shape[1] != tokens || (positions.shape[0] != batch && positions.shape[0] != 1)))
        {
            throw new ArgumentException($"Positions are [{string.Join(", ", positions.shape)}] for ids [{batch}, {tokens}].", nameof(pass));
        }

        bool tracksAttention = isTracked && TrackedAttention.Fits(config, dtype, ids.device);
        ScalarType attentionDtype = tracksAttention ? ScalarType.Float32 : dtype;
        AttentionMask Mask(int? window) => tracksAttention
            ? AttentionMask.OfFirstKeys(pass.Segments, tokens, window)
            : AttentionMask.Create(pass, cache, batch, tokens, window, ids.device, dtype);
        return new PassContext(pass)
        {
            Batch = batch,
            Tokens = tokens,
            Dtype = dtype,
            Cache = cache,
            Positions = positions,
            Rotary = config.Rope is { } rope ? RotaryEmbedding.Tables(rope, config.HeadSize, positions, attentionDtype, LongRows(rope, pass, cache, positions)) : null,
            LocalRotary = config.LocalRope is { } local ? RotaryEmbedding.Tables(local, config.HeadSize, positions, attentionDtype) : null,
            TracksAttention = tracksAttention,
            AttentionDtype = attentionDtype,
            Mask = Mask(null),
            SlidingMask = config.SlidingWindow is { } window ? Mask(window) : default,
            Adapters = pass.Adapters.Group(batch, ids.device),
        };
    }

    /// <summary>Which tokens belong to sequences longer than longrope's original context; decided without a host sync.</summary>
    /// <returns>[B or 1, T or 1, 1] bool; null where the model has no such factors.</returns>
    private static Tensor? LongRows(RopeSettings rope, ForwardPass pass, CachePlan? cache, Tensor positions)
    {
        if (rope.Scaling != RopeScaling.LongRope)
        {
            return null;
        }

        if (cache is not null)
        {
            return tensor(cache.Rows.Select(cache.Cache.Tokens!.IsLong).ToArray(), device: positions.device).view(-1, 1, 1);
        }

        Tensor beyond = positions.ge(Scalars.Of(rope.OriginalContextLength)); // [B or 1, T]
        if (pass.Segments is not { } segments)
        {
            return beyond.any(1, keepdim: true).unsqueeze(-1);
        }

        // Packed rows: each of their sequences by its own length, as if it were alone.
        Tensor counts = zeros([segments.shape[0], segments.shape[1] + 1], ScalarType.Float32, segments.device).scatter_add_(1, segments, beyond.expand_as(segments).to(ScalarType.Float32));
        return counts.gather(1, segments).gt(Scalars.Of(0)).unsqueeze(-1);
    }

    private static Tensor DefaultPositions(CachePlan? cache, int batch, int tokens, Device device)
    {
        if (cache is null || cache.CommonLength is not null)
        {
            long start = cache?.CommonLength ?? 0;
            return Scalars.Range(start, start + tokens, device).unsqueeze(0); // [1, T]
        }

        long[] flat = new long[batch * tokens];
        for (int b = 0; b < batch; b++)
        {
            for (int t = 0; t < tokens; t++)
            {
                flat[b * tokens + t] = cache.Length(b) + t;
            }
        }

        return tensor(flat, device: device).view(batch, tokens);
    }
}
