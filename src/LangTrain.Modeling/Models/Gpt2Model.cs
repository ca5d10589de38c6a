using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>GPT-2: learned positions, layer norms, one matrix for query, key and value, and linear layers that checkpoints keep transposed.</summary>
internal sealed class Gpt2Model : DecoderModel
{
    private readonly Gpt2Stack transformer;
    private readonly EmbeddingLayer? lm_head;

    public Gpt2Model(ModelConfig config, ModelLoadOptions options)
        : base(config, options)
    {
        transformer = new Gpt2Stack(config, options);
        lm_head = config.TieEmbeddings ? null : new EmbeddingLayer("lm_head", config.VocabularySize, config.HiddenSize, options);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor OutputWeight => (lm_head ?? transformer.wte).Weight;

    private protected override Tensor Run(Tensor ids, PassContext pass) => transformer.Forward(ids, pass);

    /// <summary>OpenAI's own folders leave out the first part.</summary>
    internal override IEnumerable<string> StoredNames(string name) => [name, name.StartsWith("transformer.", StringComparison.Ordinal) ? name["transformer.".Length..] : name];

    internal override bool IsStoredTransposed(string name) => name.StartsWith("transformer.h.", StringComparison.Ordinal) && name.EndsWith(".weight", StringComparison.Ordinal) && !name.Contains(".ln_", StringComparison.Ordinal);

    /// <summary>Old folders hold the causal mask as a buffer.</summary>
    private protected override bool IsDropped(string name) =>
        name.EndsWith(".attn.bias", StringComparison.Ordinal) || name.EndsWith(".attn.masked_bias", StringComparison.Ordinal) || (Config.TieEmbeddings && name == "lm_head.weight");
}

/// <summary>Embeddings, blocks and last norm of GPT-2.</summary>
internal sealed class Gpt2Stack : nn.Module
{
    public readonly EmbeddingLayer wte;
    private readonly EmbeddingLayer wpe;
    private readonly ModuleList<Gpt2Layer> h;
    private readonly LayerNormLayer ln_f;
    private readonly ModelConfig _config;

    public Gpt2Stack(ModelConfig config, ModelLoadOptions options)
        : base(nameof(Gpt2Stack))
    {
        wte = new EmbeddingLayer("transformer.wte", config.VocabularySize, config.HiddenSize, options);
        wpe = new EmbeddingLayer("transformer.wpe", config.ContextLength, config.HiddenSize, options with { Quantization = Quantization.None });
        h = new ModuleList<Gpt2Layer>([.. Enumerable.Range(0, config.LayerCount).Select(layer => new Gpt2Layer($"transformer.h.{layer}", layer, config, options))]);
        ln_f = new LayerNormLayer(config, options);
        _config = config;
        RegisterComponents();
    }

    /// <returns>[B, T, C] for ids [B, T].</returns>
    public Tensor Forward(Tensor ids, PassContext pass)
    {
        Tensor x = wte.Forward(ids).Plus(wpe.Forward(pass.Positions));
        foreach (Gpt2Layer layer in h)
        {
            // What autograd does not keep goes with its layer.
            using var layerScope = NewDisposeScope();
            x = (pass.RunsLayerCheckpoints ? LayerCheckpoint.Run(x, pass, _config, ids, layer.Forward) : layer.Forward(x, pass)).MoveToOuterDisposeScope();
        }

        return ln_f.Forward(x);
    }
}
