using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Embedding, blocks and last norm: what checkpoints of Llama's family keep under <c>model.</c></summary>
internal sealed class DecoderStack : nn.Module
{
    public readonly EmbeddingLayer embed_tokens;
    private readonly ModuleList<DecoderLayer> layers;
    private readonly RmsNorm norm;
    private readonly ModelConfig _config;

    public DecoderStack(ModelConfig config, ModelLoadOptions options)
        : base(nameof(DecoderStack))
    {
        embed_tokens = new EmbeddingLayer("model.embed_tokens", config.VocabularySize, config.HiddenSize, options);
        layers = new ModuleList<DecoderLayer>([.. Enumerable.Range(0, config.LayerCount).Select(layer => new DecoderLayer($"model.layers.{layer}", layer, config, options))]);
        norm = new RmsNorm(config.HiddenSize, config, options);
        _config = config;
        RegisterComponents();
    }

    public IList<DecoderLayer> Layers => layers;

    /// <returns>[B, T, C] for ids [B, T].</returns>
    public Tensor Embed(Tensor ids)
    {
        Tensor x = embed_tokens.Forward(ids); // [B, T, C]

        // Gemma rounds the factor to the dtype of the embedding; Granite's is a whole number.
        return _config.EmbeddingScale == 1 ? x : x * tensor(_config.EmbeddingScale, x.dtype, x.device);
    }

    /// <summary>Adds what <see cref="Embed"/> passes on to the embedding.</summary>
    /// <param name="ids">[B, T].</param>
    /// <param name="gradient">[N, C].</param>
    public void AddEmbeddingGradient(Tensor ids, Tensor gradient)
    {
        Tensor weight = embed_tokens.Weight;
        weight.grad ??= zeros_like(weight);
        weight.grad.index_add_(0, ids.flatten(), gradient.to(weight.dtype), Scalars.Of(_config.EmbeddingScale));
    }

    /// <summary>The last norm, for a derived gradient: see <see cref="RmsNorm.Track"/>.</summary>
    public (Tensor Normed, Tensor Scale) TrackNorm(Tensor x, ScalarType dtype)
    {
        (Tensor normed, Tensor scale) = norm.Track(x, dtype);
        return (Scaled(normed), scale);
    }

    /// <summary>The last norm's gradient: see <see cref="RmsNorm.Backward"/>.</summary>
    public Tensor NormBackward(Tensor gradient, Tensor x, Tensor scale) => norm.Backward(Scaled(gradient), x, scale);

    /// <returns>[B, T, C] for ids [B, T].</returns>
    public Tensor Forward(Tensor ids, PassContext pass)
    {
        Tensor x = Embed(ids); // [B, T, C]
        foreach (DecoderLayer layer in layers)
        {
            // What autograd does not keep goes with its layer.
            using var layerScope = NewDisposeScope();
            x = (pass.RunsLayerCheckpoints ? LayerCheckpoint.Run(x, pass, _config, ids, layer.Forward) : layer.Forward(x, pass)).MoveToOuterDisposeScope();
        }

        return Scaled(norm.Forward(x));
    }

    private Tensor Scaled(Tensor x) => _config.OutputScale == 1 ? x : x.mul(Scalars.Of(_config.OutputScale));
}
