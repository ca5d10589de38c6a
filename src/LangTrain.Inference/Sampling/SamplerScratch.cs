namespace LangTrain.Inference.Sampling;

/// <summary>Buffers that every sampler of one engine shares; the loop thread uses them for one row at a time.</summary>
/// <param name="vocabularySize">Tokens of the model.</param>
internal sealed class SamplerScratch(int vocabularySize)
{
    /// <summary>One weight a token.</summary>
    public float[] Weights { get; } = new float[vocabularySize];

    /// <summary>The model's own logits, kept while the row's are changed in place and log-probabilities are wanted.</summary>
    public float[] Raw { get; } = new float[vocabularySize];

    /// <summary>One sort key a token.</summary>
    public ulong[] Keys { get; } = new ulong[vocabularySize];
}
