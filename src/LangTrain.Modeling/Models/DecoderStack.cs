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

    /// <returns>[B, T, C] for ids [B, T].</returns>
    public Tensor Forward(Tensor ids, PassContext pass)
    {
        Tensor x = embed_tokens.Forward(ids); // [B, T, C]
        if (_config.EmbeddingScale != 1)
        {
            // Gemma rounds the factor to the dtype of the embedding.
            x = x * tensor(_config.EmbeddingScale, x.dtype, x.device);
        }

        foreach (DecoderLayer layer in layers)
        {
            x = pass.KeepsInputsOnly ? LayerCheckpoint.Run(x, pass, _config, ids, layer.Forward) : layer.Forward(x, pass);
        }

        return norm.Forward(x);
    }
}
