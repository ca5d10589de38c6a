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
            x = x.Plus(attended);
            x = x.Plus(mlp.Forward(post_attention_layernorm.Forward(x), pass));
        }
        else
        {
            // Gemma 2 and 3 norm what comes out of each part as well as what goes in.
            x = x.Plus(post_attention_layernorm.Forward(attended));
            x = x.Plus(post_feedforward_layernorm!.Forward(mlp.Forward(pre_feedforward_layernorm.Forward(x), pass)));
        }

        return x.MoveToOuterDisposeScope();
    }

    /// <summary>Forward for a derived gradient.</summary>
    /// <param name="x">[N, C], residual stream; the tape keeps it.</param>
    /// <param name="pass">What the pass's layers share.</param>
    /// <param name="tape">Empty, or holding only this input; filled.</param>
    /// <returns>[N, C].</returns>
    public Tensor Track(Tensor x, PassContext pass, LayerTape tape)
    {
        using var scope = NewDisposeScope();
        KeptTensors kept = tape.Kept;
        tape.Input = x;
        (Tensor normed, tape.AttentionScale) = input_layernorm.Track(x, pass.Dtype);
        Tensor attended = self_attn.Track(normed, pass, tape.Attention, kept);
        if (pre_feedforward_layernorm is not null)
        {
            kept.Keep(attended);
            (Tensor result, Tensor scale) = post_attention_layernorm.Track(attended, pass.Wide);
            tape.AttentionResult = (attended, kept.Keep(scale));
            attended = result;
        }

        tape.Middle = kept.Keep(x.Plus(attended));
        (normed, tape.FeedForwardScale) = (pre_feedforward_layernorm ?? post_attention_layernorm).Track(tape.Middle, pass.Dtype);
        Tensor expanded = mlp.Track(normed, pass, tape.FeedForward, kept);
        if (post_feedforward_layernorm is not null)
        {
            kept.Keep(expanded);
            (Tensor result, Tensor scale) = post_feedforward_layernorm.Track(expanded, pass.Wide);
            tape.FeedForwardResult = (expanded, kept.Keep(scale));
            expanded = result;
        }

        kept.Keep(tape.AttentionScale);
        kept.Keep(tape.FeedForwardScale);
        return tape.Middle.Plus(expanded).MoveToOuterDisposeScope();
    }

    /// <summary>The gradient.</summary>
    /// <param name="gradient">[N, C], of the residual stream after the block.</param>
    /// <param name="pass">What the pass's layers share.</param>
    /// <param name="tape">From <see cref="Track"/>.</param>
    /// <param name="needsInput">False if nobody wants the input's gradient.</param>
    /// <returns>[N, C], or null without <paramref name="needsInput"/>.</returns>
    public Tensor? Backward(Tensor gradient, PassContext pass, LayerTape tape, bool needsInput)
    {
        using var scope = NewDisposeScope();

        // Feed-forward, against the order of computation. What a projection was given is worked out again where it learns, from the norm's factors.
        RmsNorm entry = pre_feedforward_layernorm ?? post_attention_layernorm;
        Tensor? given = mlp.NeedsInput(pass) ? entry.Apply(tape.Middle, tape.FeedForwardScale, pass.Dtype) : null;
        Tensor inner = post_feedforward_layernorm?.Backward(gradient, tape.FeedForwardResult.Value, tape.FeedForwardResult.Scale) ?? gradient;
        inner = mlp.Backward(inner.to(pass.Dtype), given, pass, tape.FeedForward);
        Tensor middle = entry.Backward(inner, tape.Middle, tape.FeedForwardScale).AddInPlace(gradient); // [N, C]

        given = self_attn.NeedsInput(pass) ? input_layernorm.Apply(tape.Input, tape.AttentionScale, pass.Dtype) : null;
        inner = pre_feedforward_layernorm is null ? middle : post_attention_layernorm.Backward(middle, tape.AttentionResult.Value, tape.AttentionResult.Scale);
        bool normLearns = input_layernorm.Learns;
        Tensor? result = self_attn.Backward(inner.to(pass.Dtype), given, pass, tape.Attention, needsInput || normLearns);
        return result is null ? null : input_layernorm.Backward(result, tape.Input, tape.AttentionScale).AddInPlace(middle).MoveToOuterDisposeScope();
    }
}
