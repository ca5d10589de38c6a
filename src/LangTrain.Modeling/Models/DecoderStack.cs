using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Embedding, blocks and last norm: what checkpoints of Llama's family keep under <c>model.</c></summary>
internal sealed class DecoderStack : nn.Module
{
    public readonly EmbeddingLayer embed_tokens;
    private readonly ModuleList<DecoderLayer> layers;
    private readonly RmsNorm norm;
    private readonly double _embeddingScale;

    public DecoderStack(ModelConfig config, ModelLoadOptions options)
        : base(nameof(DecoderStack))
    {
        embed_tokens = new EmbeddingLayer(config.VocabularySize, config.HiddenSize, options);
        layers = new ModuleList<DecoderLayer>([.. Enumerable.Range(0, config.LayerCount).Select(layer => new DecoderLayer($"model.layers.{layer}", layer, config, options))]);
        norm = new RmsNorm(config.HiddenSize, config, options);
        _embeddingScale = config.EmbeddingScale;
        RegisterComponents();
    }

    /// <returns>[B, T, C] for ids [B, T].</returns>
    public Tensor Forward(Tensor ids, PassContext pass)
    {
        Tensor x = embed_tokens.Forward(ids); // [B, T, C]
        if (_embeddingScale != 1)
        {
            // Gemma rounds the factor to the dtype of the embedding.
            x = x * tensor(_embeddingScale, x.dtype, x.device);
        }

        foreach (DecoderLayer layer in layers)
        {
            x = layer.Forward(x, pass);
        }

        return norm.Forward(x);
    }
}
