using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>The decoders that are spelled like Llama: all but GPT-2.</summary>
internal sealed class LlamaModel : DecoderModel
{
    private readonly DecoderStack model;
    private readonly EmbeddingLayer? lm_head; // [V, C], like an embedding; absent where tied

    public LlamaModel(ModelConfig config, ModelLoadOptions options)
        : base(config, options)
    {
        model = new DecoderStack(config, options);
        lm_head = config.TieEmbeddings ? null : new EmbeddingLayer("lm_head", config.VocabularySize, config.HiddenSize, options);
        RegisterComponents();
    }

    private protected override Tensor Run(Tensor ids, PassContext pass) => model.Forward(ids, pass);

    /// <summary>By hand where the derivation covers what learns: not DoRA, not a different adapter for each row.</summary>
    internal override TrackedPass Track(Tensor ids, ForwardPass pass, ScalarType? dtype = null)
    {
        bool isCovered = pass.Cache is null && !pass.Adapters.IsMixed && pass.Adapters.Single is null or { Options.UseDora: false };
        using var scope = NewDisposeScope();
        return isCovered ? new DerivedPass(model, ids, PassContext.Create(Config, ids, pass, dtype ?? Dtype, isTracked: true)) : base.Track(ids, pass, dtype);
    }

    /// <inheritdoc/>
    public override Tensor OutputWeight => (lm_head ?? model.embed_tokens).Weight;

    /// <summary>Models that were saved without their head leave out the first part; folders of Gemma 3 with vision keep the text model one level down, in an older and a newer spelling.</summary>
    internal override IEnumerable<string> StoredNames(string name)
    {
        string bare = name.StartsWith("model.", StringComparison.Ordinal) ? name["model.".Length..] : name;
        return Config.ModelType != "gemma3_text" ? [name, bare] : [name, bare, "language_model." + name, "model.language_model." + bare];
    }

    private protected override bool IsDropped(string name) =>
        name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal)
        || (Config.TieEmbeddings && StoredNames("lm_head.weight").Contains(name))
        || IsOfVision(name);

    internal override bool IsOfVision(string name) =>
        Config.ModelType == "gemma3_text" && (name.Contains("vision_tower.", StringComparison.Ordinal) || name.Contains("multi_modal_projector.", StringComparison.Ordinal));
}
