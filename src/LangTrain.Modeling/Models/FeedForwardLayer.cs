using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>The gated feed-forward block: down(act(gate(x)) · up(x)) (arXiv:2002.05202).</summary>
internal sealed class FeedForwardLayer : nn.Module
{
    private readonly LinearLayer? gate_proj, up_proj, gate_up_proj;
    private readonly LinearLayer down_proj;
    private readonly Activation _activation;

    public FeedForwardLayer(string name, ModelConfig config, ModelLoadOptions options)
        : base(nameof(FeedForwardLayer))
    {
        _activation = config.Activation;
        LinearLayer Expand(string part, int outputs) => new($"{name}.{part}", config.HiddenSize, outputs, config.FeedForwardBias, options);
        if (config.FusedProjections)
        {
            gate_up_proj = Expand("gate_up_proj", 2 * config.FeedForwardSize);
        }
        else
        {
            gate_proj = Expand("gate_proj", config.FeedForwardSize);
            up_proj = Expand("up_proj", config.FeedForwardSize);
        }

        down_proj = new LinearLayer($"{name}.down_proj", config.FeedForwardSize, config.HiddenSize, config.FeedForwardBias, options);
        RegisterComponents();
    }

    /// <returns>[B, T, C] for x [B, T, C].</returns>
    public Tensor Forward(Tensor x, PassContext pass)
    {
        Tensor gate, up;
        if (gate_up_proj is not null)
        {
            Tensor[] parts = gate_up_proj.Forward(x, pass).chunk(2, -1);
            (gate, up) = (parts[0], parts[1]);
        }
        else
        {
            (gate, up) = (gate_proj!.Forward(x, pass), up_proj!.Forward(x, pass)); // [B, T, F]
        }

        return down_proj.Forward(Activations.Apply(_activation, gate) * up, pass);
    }

    /// <summary>Whether a backward pass needs the block's input.</summary>
    public bool NeedsInput(PassContext pass) => gate_up_proj?.NeedsInput(pass) ?? (gate_proj!.NeedsInput(pass) || up_proj!.NeedsInput(pass));

    /// <summary>Forward for a derived gradient.</summary>
    /// <returns>[N, C] for x [N, C].</returns>
    public Tensor Track(Tensor x, PassContext pass, FeedForwardTape tape, KeptTensors kept)
    {
        if (gate_up_proj is not null)
        {
            (Tensor both, tape.GateProjection) = gate_up_proj.Track(x, pass, kept);
            Tensor[] parts = both.chunk(2, -1);
            (tape.Gate, tape.Up) = (kept.Keep(parts[0]), kept.Keep(parts[1]));
        }
        else
        {
            (Tensor gate, tape.GateProjection) = gate_proj!.Track(x, pass, kept);
            (Tensor up, tape.UpProjection) = up_proj!.Track(x, pass, kept);
            (tape.Gate, tape.Up) = (kept.Keep(gate), kept.Keep(up)); // [N, F]
        }

        (Tensor result, tape.DownProjection) = down_proj.Track(Activations.Apply(_activation, tape.Gate).mul_(tape.Up), pass, kept);
        return result;
    }

    /// <summary>The gradient.</summary>
    /// <param name="gradient">[N, C].</param>
    /// <param name="x">[N, C]; null where <see cref="NeedsInput"/> is false.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="tape">From <see cref="Track"/>.</param>
    /// <returns>[N, C].</returns>
    public Tensor Backward(Tensor gradient, Tensor? x, PassContext pass, FeedForwardTape tape)
    {
        Tensor activated = Activations.Apply(_activation, tape.Gate); // [N, F]
        Tensor inner = down_proj.Backward(gradient, down_proj.NeedsInput(pass) ? activated * tape.Up : null, pass, tape.DownProjection)!; // [N, F]
        Tensor up = activated.mul_(inner);
        Tensor gate = Activations.Backward(_activation, inner.mul_(tape.Up), tape.Gate);
        if (gate_up_proj is not null)
        {
            return gate_up_proj.Backward(cat([gate, up], -1), x, pass, tape.GateProjection)!;
        }

        Tensor sum = gate_proj!.Backward(gate, x, pass, tape.GateProjection)!;
        return up_proj!.Backward(up, x, pass, tape.UpProjection, sum)!;
    }
}
