using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Causal self-attention with grouped key/value heads, in the spelling of Llama's family.</summary>
internal sealed class AttentionLayer : nn.Module
{
    private readonly LinearLayer? q_proj, k_proj, v_proj, qkv_proj;
    private readonly LinearLayer o_proj;
    private readonly RmsNorm? q_norm, k_norm;
    private readonly ModelConfig _config;
    private readonly int _layer;

    public AttentionLayer(string name, int layer, ModelConfig config, ModelLoadOptions options)
        : base(nameof(AttentionLayer))
    {
        _config = config;
        _layer = layer;
        int queries = config.QueryHeads * config.HeadSize, keys = config.KeyValueHeads * config.HeadSize;
        LinearLayer Project(string part, int outputs) => new($"{name}.{part}", config.HiddenSize, outputs, config.QueryKeyValueBias, options);
        if (config.FusedProjections)
        {
            qkv_proj = Project("qkv_proj", queries + 2 * keys);
        }
        else
        {
            q_proj = Project("q_proj", queries);
            k_proj = Project("k_proj", keys);
            v_proj = Project("v_proj", keys);
        }

        o_proj = new LinearLayer($"{name}.o_proj", queries, config.HiddenSize, config.AttentionOutputBias, options);
        if (config.QueryKeyNorm)
        {
            q_norm = new RmsNorm(config.NormsHeadsTogether ? queries : config.HeadSize, config, options);
            k_norm = new RmsNorm(config.NormsHeadsTogether ? keys : config.HeadSize, config, options);
        }

        RegisterComponents();
    }

    /// <param name="x">[B, T, C].</param>
    /// <param name="pass">Masks, rotary tables, cache and adapters of the pass.</param>
    /// <returns>[B, T, C].</returns>
    public Tensor Forward(Tensor x, PassContext pass)
    {
        long batch = x.shape[0], tokens = x.shape[1];
        (Tensor q, Tensor k, Tensor v) = Project(x, pass, batch, tokens); // [B, T, H or K, D]
        if (q_norm is not null)
        {
            (q, k) = (q_norm.Forward(Widened(q, q_norm)).view_as(q), k_norm!.Forward(Widened(k, k_norm)).view_as(k));
        }

        if (Rotary(pass) is { } tables)
        {
            q = RotaryEmbedding.Apply(q, tables);
            k = RotaryEmbedding.Apply(k, tables);
        }

        if (pass.Cache is { } plan)
        {
            (k, v) = plan.Cache.Append(_layer, k, v, plan); // [B, S, K, D]
        }

        Tensor heads = AttentionKernel.Attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), Mask(pass), _config.AttentionScale, _config.AttentionSoftCap);
        return o_proj.Forward(heads.transpose(1, 2).reshape(batch, tokens, _config.QueryHeads * _config.HeadSize), pass);
    }

    /// <summary>Whether a backward pass needs the layer's input.</summary>
    public bool NeedsInput(PassContext pass) => qkv_proj?.NeedsInput(pass) ?? (q_proj!.NeedsInput(pass) || k_proj!.NeedsInput(pass) || v_proj!.NeedsInput(pass));

    /// <summary>Forward for a derived gradient.</summary>
    /// <returns>[N, C] for x [N, C].</returns>
    public Tensor Track(Tensor x, PassContext pass, AttentionTape tape, KeptTensors kept)
    {
        Tensor q, k, v;
        if (qkv_proj is not null)
        {
            (Tensor all, tape.QueryProjection) = qkv_proj.Track(x, pass, kept);
            Tensor[] parts = all.split(ProjectedSizes, -1);
            (q, k, v) = (parts[0], parts[1], parts[2]);
        }
        else
        {
            (q, tape.QueryProjection) = q_proj!.Track(x, pass, kept);
            (k, tape.KeyProjection) = k_proj!.Track(x, pass, kept);
            (v, tape.ValueProjection) = v_proj!.Track(x, pass, kept);
        }

        long[] heads = [pass.Batch, pass.Tokens, -1, _config.HeadSize];
        (q, k, v) = (q.view(heads), k.view(heads), v.view(heads).to(pass.AttentionDtype)); // [B, T, H or K, D]
        if (q_norm is not null)
        {
            (Tensor query, Tensor key) = (kept.Keep(Widened(q, q_norm)), kept.Keep(Widened(k, k_norm!)));
            (q, Tensor queryScale) = q_norm.Track(query, pass.AttentionDtype);
            (k, Tensor keyScale) = k_norm!.Track(key, pass.AttentionDtype);
            (q, k) = (q.view(heads), k.view(heads));
            tape.QueryNorm = (query, kept.Keep(queryScale));
            tape.KeyNorm = (key, kept.Keep(keyScale));
        }
        else
        {
            (q, k) = (q.to(pass.AttentionDtype), k.to(pass.AttentionDtype));
        }

        if (Rotary(pass) is { } tables)
        {
            (q, k) = (RotaryEmbedding.Apply(q, tables), RotaryEmbedding.Apply(k, tables));
        }

        if (pass.TracksAttention)
        {
            (tape.Query, tape.Key, tape.Value) = (kept.Keep(q.contiguous()), kept.Keep(k.contiguous()), kept.Keep(v.contiguous()));
            (Tensor attended, Tensor logSums) = TrackedAttention.Forward(tape.Query, tape.Key, tape.Value, Mask(pass), _config.AttentionScale);
            (tape.Attended, tape.LogSums) = (kept.Keep(attended), kept.Keep(logSums));
        }
        else
        {
            Tensor Leaf(Tensor part) => kept.Keep(part.transpose(1, 2).detach().requires_grad_());
            (tape.Query, tape.Key, tape.Value) = (Leaf(q), Leaf(k), Leaf(v)); // [B, H or K, T, D]
            using var recorded = enable_grad();
            tape.Attended = kept.Keep(AttentionKernel.Attend(tape.Query, tape.Key, tape.Value, Mask(pass), _config.AttentionScale, _config.AttentionSoftCap));
        }

        (Tensor result, tape.OutputProjection) = o_proj.Track(Merged(tape, pass), pass, kept);
        return result;
    }

    /// <summary>The gradient; where libtorch's kernel attended, its part is autograd's.</summary>
    /// <param name="gradient">[N, C].</param>
    /// <param name="x">[N, C]; null where <see cref="NeedsInput"/> is false.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="tape">From <see cref="Track"/>.</param>
    /// <param name="needsInput">False if nobody wants the input's gradient.</param>
    /// <returns>[N, C], or null without <paramref name="needsInput"/>.</returns>
    public Tensor? Backward(Tensor gradient, Tensor? x, PassContext pass, AttentionTape tape, bool needsInput)
    {
        Tensor merged = o_proj.Backward(gradient, o_proj.NeedsInput(pass) ? Merged(tape, pass) : null, pass, tape.OutputProjection)!; // [N, H · D]
        Tensor heads = merged.view(pass.Batch, pass.Tokens, -1, _config.HeadSize).to(pass.AttentionDtype); // [B, T, H, D]
        Tensor q, k, v; // [B, T, H or K, D]
        if (tape.LogSums is { } logSums)
        {
            (q, k, v) = TrackedAttention.Backward(heads, tape.Attended, logSums, tape.Query, tape.Key, tape.Value, Mask(pass), _config.AttentionScale);
        }
        else
        {
            tape.Attended.backward([heads.transpose(1, 2)]);
            (q, k, v) = (tape.Query.grad!.transpose(1, 2), tape.Key.grad!.transpose(1, 2), tape.Value.grad!.transpose(1, 2));
        }

        if (Rotary(pass) is { } tables)
        {
            (q, k) = (RotaryEmbedding.Backward(q, tables), RotaryEmbedding.Backward(k, tables));
        }

        if (q_norm is not null)
        {
            q = q_norm.Backward(q.reshape(tape.QueryNorm.Heads.shape), tape.QueryNorm.Heads, tape.QueryNorm.Scale);
            k = k_norm!.Backward(k.reshape(tape.KeyNorm.Heads.shape), tape.KeyNorm.Heads, tape.KeyNorm.Scale);
        }

        Tensor Flat(Tensor part) => part.reshape(pass.Batch * pass.Tokens, -1).to(pass.Dtype);
        if (qkv_proj is not null)
        {
            return qkv_proj.Backward(cat([Flat(q), Flat(k), Flat(v)], -1), x, pass, tape.QueryProjection, needsInput: needsInput);
        }

        Tensor? sum = q_proj!.Backward(Flat(q), x, pass, tape.QueryProjection, needsInput: needsInput);
        sum = k_proj!.Backward(Flat(k), x, pass, tape.KeyProjection, sum, needsInput);
        return v_proj!.Backward(Flat(v), x, pass, tape.ValueProjection, sum, needsInput);
    }

    private long[] ProjectedSizes => [_config.QueryHeads * _config.HeadSize, _config.KeyValueHeads * _config.HeadSize, _config.KeyValueHeads * _config.HeadSize];

    private (Tensor Cos, Tensor Sin)? Rotary(PassContext pass) => !_config.IsRotary(_layer) ? null : _config.IsSliding(_layer) ? pass.LocalRotary ?? pass.Rotary : pass.Rotary;

    private AttentionMask Mask(PassContext pass) => _config.IsSliding(_layer) ? pass.SlidingMask : pass.Mask;

    /// <returns>Heads [B, T, H or K, D] as rows of the norm's size: [B, T, H or K, D], or [B, T, 1, H · D or K · D].</returns>
    private static Tensor Widened(Tensor heads, RmsNorm norm) => heads.view(heads.shape[0], heads.shape[1], -1, norm.Size);

    /// <returns>[N, H · D], compute dtype.</returns>
    private static Tensor Merged(AttentionTape tape, PassContext pass) =>
        (tape.LogSums is null ? tape.Attended.detach().transpose(1, 2) : tape.Attended).flatten(2).flatten(0, 1).to(pass.Dtype);

    private (Tensor Q, Tensor K, Tensor V) Project(Tensor x, PassContext pass, long batch, long tokens)
    {
        Tensor q, k, v;
        if (qkv_proj is not null)
        {
            Tensor[] parts = qkv_proj.Forward(x, pass).split(ProjectedSizes, -1);
            (q, k, v) = (parts[0], parts[1], parts[2]);
        }
        else
        {
            (q, k, v) = (q_proj!.Forward(x, pass), k_proj!.Forward(x, pass), v_proj!.Forward(x, pass));
        }

        return (q.view(batch, tokens, -1, _config.HeadSize), k.view(batch, tokens, -1, _config.HeadSize), v.view(batch, tokens, -1, _config.HeadSize));
    }
}
