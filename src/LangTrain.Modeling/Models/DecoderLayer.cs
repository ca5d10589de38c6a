using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>One block of a Llama-like decoder: attention and feed-forward, each with its norm and around it the residual stream.</summary>
internal sealed class DecoderLayer : nn.Module
{
    private readonly RmsNorm input_layernorm;
    private readonly AttentionLayer self_attn;
    private readonly RmsNorm post_attention_layernorm;
    private readonly RmsNorm? pre_feedforward_layernorm, post_feedforward_layernorm;
    private readonly FeedForwardLayer mlp;

    public DecoderLayer(string name, int layer, ModelConfig config, ModelLoadOptions options)
        : base(nameof(DecoderLayer))
    {
        input_layernorm = new RmsNorm(config.HiddenSize, config, options);
        self_attn = new AttentionLayer($"{name}.self_attn", layer, config, options);
        post_attention_layernorm = new RmsNorm(config.HiddenSize, config, options);
        if (config.SandwichNorms)
        {
            pre_feedforward_layernorm = new RmsNorm(config.HiddenSize, config, options);
            post_feedforward_layernorm = new RmsNorm(config.HiddenSize, config, options);
        }

        mlp = new FeedForwardLayer($"{name}.mlp", config, options);
        RegisterComponents();
    }

    /// <returns>[B, T, C] for x [B, T, C].</returns>
    public Tensor Forward(Tensor x, PassContext pass)
    {
        // A scope a layer: in inference the intermediates of one layer are gone before the next begins.
        using var scope = NewDisposeScope();
        Tensor attended = self_attn.Forward(input_layernorm.Forward(x), pass);
        if (pre_feedforward_layernorm is null)
        {
            x = x + attended;
            x = x + mlp.Forward(post_attention_layernorm.Forward(x), pass);
        }
        else
        {
            // Gemma 2 and 3 norm what comes out of each part as well as what goes in.
            x = x + post_attention_layernorm.Forward(attended);
            x = x + post_feedforward_layernorm!.Forward(mlp.Forward(pre_feedforward_layernorm.Forward(x), pass));
        }

        return x.MoveToOuterDisposeScope();
    }
}
