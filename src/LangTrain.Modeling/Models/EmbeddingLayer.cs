using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>A table of vectors, one a token or a position; also the output projection of models with tied embeddings.</summary>
internal sealed class EmbeddingLayer : nn.Module
{
    public readonly Parameter weight; // [V, C]

    public EmbeddingLayer(int count, int size, ModelLoadOptions options)
        : base(nameof(EmbeddingLayer))
    {
        weight = ModelParameters.Empty(options, count, size);
        RegisterComponents();
    }

    /// <returns>[B, T, C] for ids [B, T].</returns>
    public Tensor Forward(Tensor ids) => weight.index_select(0, ids.reshape(-1)).view([.. ids.shape, weight.shape[1]]);
}
