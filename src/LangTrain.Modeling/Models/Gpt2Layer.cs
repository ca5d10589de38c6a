using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>One block of GPT-2.</summary>
internal sealed class Gpt2Layer : nn.Module
{
    private readonly LayerNormLayer ln_1, ln_2;
    private readonly Gpt2Attention attn;
    private readonly Gpt2FeedForward mlp;

    public Gpt2Layer(string name, int layer, ModelConfig config, ModelLoadOptions options)
        : base(nameof(Gpt2Layer))
    {
        ln_1 = new LayerNormLayer(config, options);
        attn = new Gpt2Attention($"{name}.attn", layer, config, options);
        ln_2 = new LayerNormLayer(config, options);
        mlp = new Gpt2FeedForward($"{name}.mlp", config, options);
        RegisterComponents();
    }

    /// <returns>[B, T, C] for x [B, T, C].</returns>
    public Tensor Forward(Tensor x, PassContext pass)
    {
        using var scope = NewDisposeScope();
        x = x.Plus(attn.Forward(ln_1.Forward(x), pass));
        return x.Plus(mlp.Forward(ln_2.Forward(x), pass)).MoveToOuterDisposeScope();
    }
}

/// <summary>GPT-2's attention: query, key and value from one projection, positions not turned in.</summary>
internal sealed class Gpt2Attention : nn.Module
{
    private readonly LinearLayer c_attn, c_proj;
    private readonly ModelConfig _config;
    private readonly int _layer;

    public Gpt2Attention(string name, int layer, ModelConfig config, ModelLoadOptions options)
        : base(nameof(Gpt2Attention))
    {
        _config = config;
        _layer = layer;
        c_attn = new LinearLayer($"{name}.c_attn", config.HiddenSize, 3 * config.HiddenSize, true, options);
        c_proj = new LinearLayer($"{name}.c_proj", config.HiddenSize, config.HiddenSize, true, options);
        RegisterComponents();
    }

    /// <returns>[B, T, C] for x [B, T, C].</returns>
    public Tensor Forward(Tensor x, PassContext pass)
    {
        long batch = x.shape[0], tokens = x.shape[1];
        Tensor[] parts = c_attn.Forward(x, pass).chunk(3, -1);
        Tensor Heads(Tensor part) => part.view(batch, tokens, _config.QueryHeads, _config.HeadSize); // [B, T, H, D]
        (Tensor q, Tensor k, Tensor v) = (Heads(parts[0]), Heads(parts[1]), Heads(parts[2]));
        if (pass.Cache is { } plan)
        {
            (k, v) = plan.Cache.Append(_layer, k, v, plan); // [B, S, H, D]
        }

        Tensor heads = AttentionKernel.Attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), pass.Mask, _config.AttentionScale / (_config.ScalesAttentionByLayer ? _layer + 1 : 1), null);
        return c_proj.Forward(heads.transpose(1, 2).reshape(batch, tokens, _config.HiddenSize), pass);
    }
}

/// <summary>GPT-2's feed-forward block, without a gate.</summary>
internal sealed class Gpt2FeedForward : nn.Module
{
    private readonly LinearLayer c_fc, c_proj;
    private readonly Activation _activation;

    public Gpt2FeedForward(string name, ModelConfig config, ModelLoadOptions options)
        : base(nameof(Gpt2FeedForward))
    {
        _activation = config.Activation;
        c_fc = new LinearLayer($"{name}.c_fc", config.HiddenSize, config.FeedForwardSize, true, options);
        c_proj = new LinearLayer($"{name}.c_proj", config.FeedForwardSize, config.HiddenSize, true, options);
        RegisterComponents();
    }

    /// <returns>[B, T, C] for x [B, T, C].</returns>
    public Tensor Forward(Tensor x, PassContext pass) => c_proj.Forward(Activations.Apply(_activation, c_fc.Forward(x, pass)), pass);
}
