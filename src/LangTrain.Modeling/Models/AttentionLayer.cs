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
            q_norm = new RmsNorm(config.HeadSize, config, options);
            k_norm = new RmsNorm(config.HeadSize, config, options);
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
        q = q_norm?.Forward(q) ?? q;
        k = k_norm?.Forward(k) ?? k;

        bool sliding = _config.IsSliding(_layer);
        if ((sliding ? pass.LocalRotary ?? pass.Rotary : pass.Rotary) is { } tables)
        {
            q = RotaryEmbedding.Apply(q, tables);
            k = RotaryEmbedding.Apply(k, tables);
        }

        if (pass.Cache is { } plan)
        {
            (k, v) = plan.Cache.Append(_layer, k, v, plan); // [B, S, K, D]
        }

        Tensor heads = AttentionKernel.Attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), sliding ? pass.SlidingMask : pass.Mask, _config.AttentionScale, _config.AttentionSoftCap);
        return o_proj.Forward(heads.transpose(1, 2).reshape(batch, tokens, _config.QueryHeads * _config.HeadSize), pass);
    }

    private (Tensor Q, Tensor K, Tensor V) Project(Tensor x, PassContext pass, long batch, long tokens)
    {
        Tensor q, k, v;
        if (qkv_proj is not null)
        {
            long queries = _config.QueryHeads * _config.HeadSize, keys = _config.KeyValueHeads * _config.HeadSize;
            Tensor[] parts = qkv_proj.Forward(x, pass).split([queries, keys, keys], -1);
            (q, k, v) = (parts[0], parts[1], parts[2]);
        }
        else
        {
            (q, k, v) = (q_proj!.Forward(x, pass), k_proj!.Forward(x, pass), v_proj!.Forward(x, pass));
        }

        return (q.view(batch, tokens, -1, _config.HeadSize), k.view(batch, tokens, -1, _config.HeadSize), v.view(batch, tokens, -1, _config.HeadSize));
    }
}
