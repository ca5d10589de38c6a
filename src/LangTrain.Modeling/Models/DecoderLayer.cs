using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>One block of a Llama-like decoder: attention and feed-forward, each with its norms and around it the residual stream.</summary>
internal sealed class DecoderLayer : nn.Module
{
    // Checkpoints' names, of which one stands for different norms: before the feed-forward part, or, where parts have norms behind them, after attention.
    private readonly RmsNorm? input_layernorm;
    private readonly AttentionLayer self_attn;
    private readonly RmsNorm post_attention_layernorm;
    private readonly RmsNorm? pre_feedforward_layernorm, post_feedforward_layernorm;
    private readonly FeedForwardLayer mlp;
    private readonly NormPlacement _norms;
    private readonly double _residualScale;

    public DecoderLayer(string name, int layer, ModelConfig config, ModelLoadOptions options)
        : base(nameof(DecoderLayer))
    {
        (_norms, _residualScale) = (config.Norms, config.ResidualScale);
        RmsNorm Norm() => new(config.HiddenSize, config, options);
        input_layernorm = _norms == NormPlacement.After ? null : Norm();
        self_attn = new AttentionLayer($"{name}.self_attn", layer, config, options);
        post_attention_layernorm = Norm();
        pre_feedforward_layernorm = _norms == NormPlacement.Around ? Norm() : null;
        post_feedforward_layernorm = _norms == NormPlacement.Before ? null : Norm();
        mlp = new FeedForwardLayer($"{name}.mlp", config, options);
        RegisterComponents();
    }

    private RmsNorm? AfterAttention => _norms == NormPlacement.Before ? null : post_attention_layernorm;

    private RmsNorm? BeforeFeedForward => _norms == NormPlacement.Before ? post_attention_layernorm : pre_feedforward_layernorm;

    /// <returns>[B, T, C] for x [B, T, C].</returns>
    public Tensor Forward(Tensor x, PassContext pass)
    {
        // A scope a layer: in inference the intermediates of one layer are gone before the next begins.
        using var scope = NewDisposeScope();
        Tensor attended = self_attn.Forward(input_layernorm?.Forward(x) ?? x, pass);
        x = Added(x, AfterAttention?.Forward(attended) ?? attended);
        Tensor expanded = mlp.Forward(BeforeFeedForward?.Forward(x) ?? x, pass);
        return Added(x, post_feedforward_layernorm?.Forward(expanded) ?? expanded).MoveToOuterDisposeScope();
    }

    /// <summary>Forward for a derived gradient.</summary>
    /// <param name="x">[N, C], residual stream; the tape keeps it.</param>
    /// <param name="pass">What the pass's layers share.</param>
    /// <param name="tape">Empty, or holding only this input; filled.</param>
    /// <returns>[N, C].</returns>
    public Tensor Track(Tensor x, PassContext pass, LayerTape tape)
    {
        using var scope = NewDisposeScope();
        tape.Input = x;
        (Tensor normed, tape.AttentionScale) = TrackBefore(input_layernorm, x, pass, tape);
        Tensor attended = self_attn.Track(normed, pass, tape.Attention, tape.Kept);
        (attended, tape.AttentionResult) = TrackAfter(AfterAttention, attended, pass, tape);
        tape.Middle = tape.Kept.Keep(Added(x, attended));
        (normed, tape.FeedForwardScale) = TrackBefore(BeforeFeedForward, tape.Middle, pass, tape);
        Tensor expanded = mlp.Track(normed, pass, tape.FeedForward, tape.Kept);
        (expanded, tape.FeedForwardResult) = TrackAfter(post_feedforward_layernorm, expanded, pass, tape);
        return Added(tape.Middle, expanded).MoveToOuterDisposeScope();
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
        Tensor? given = mlp.NeedsInput(pass) ? Given(BeforeFeedForward, tape.Middle, tape.FeedForwardScale, pass) : null;
        Tensor inner = Scaled(gradient);
        inner = post_feedforward_layernorm?.Backward(inner, tape.FeedForwardResult.Value, tape.FeedForwardResult.Scale) ?? inner;
        inner = mlp.Backward(inner.to(pass.Dtype), given, pass, tape.FeedForward);
        Tensor middle = (BeforeFeedForward?.Backward(inner, tape.Middle, tape.FeedForwardScale!) ?? inner.to(pass.Wide)).AddInPlace(gradient); // [N, C]

        given = self_attn.NeedsInput(pass) ? Given(input_layernorm, tape.Input, tape.AttentionScale, pass) : null;
        inner = Scaled(middle);
        inner = AfterAttention?.Backward(inner, tape.AttentionResult.Value, tape.AttentionResult.Scale) ?? inner;
        Tensor? result = self_attn.Backward(inner.to(pass.Dtype), given, pass, tape.Attention, needsInput || input_layernorm is { Learns: true });
        return result is null
            ? null
            : (input_layernorm?.Backward(result, tape.Input, tape.AttentionScale!) ?? result.to(pass.Wide)).AddInPlace(middle).MoveToOuterDisposeScope();
    }

    /// <returns>What a part is given, and the factors of its norm; the residual stream itself where there is no norm.</returns>
    private static (Tensor Normed, Tensor? Scale) TrackBefore(RmsNorm? norm, Tensor x, PassContext pass, LayerTape tape)
    {
        if (norm is null)
        {
            return (x.to(pass.Dtype), null);
        }

        (Tensor normed, Tensor scale) = norm.Track(x, pass.Dtype);
        return (normed, tape.Kept.Keep(scale));
    }

    /// <returns>What a part adds to the residual stream; and where a norm makes it, what that was given and its factors.</returns>
    private static (Tensor Result, (Tensor Value, Tensor Scale) Kept) TrackAfter(RmsNorm? norm, Tensor x, PassContext pass, LayerTape tape)
    {
        if (norm is null)
        {
            return (x, default);
        }

        (Tensor result, Tensor scale) = norm.Track(tape.Kept.Keep(x), pass.Wide);
        return (result, (x, tape.Kept.Keep(scale)));
    }

    private static Tensor Given(RmsNorm? norm, Tensor x, Tensor? scale, PassContext pass) => norm?.Apply(x, scale!, pass.Dtype) ?? x.to(pass.Dtype);

    private Tensor Added(Tensor x, Tensor part) => x.add(part, Scalars.Of(_residualScale));

    private Tensor Scaled(Tensor gradient) => _residualScale == 1 ? gradient : gradient.mul(Scalars.Of(_residualScale));
}
