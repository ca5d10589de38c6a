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
}
