namespace LangTrain.Inference.Engine;

/// <summary>
/// What the engine needs of a decoder: slots with a cache each, and one step over some of them. The seam that lets tests drive the engine's
/// scheduling with arithmetic in place of a network. Used from the loop thread only; the engine disposes it.
/// </summary>
internal interface ITokenModel : IDisposable
{
    /// <summary>Logits of a token.</summary>
    int VocabularySize { get; }

    /// <summary>Cached sequences that fit the memory budget, each of <see cref="SlotTokens"/>.</summary>
    int SlotCount { get; }

    /// <summary>Tokens that a sequence may have, prompt and answer together.</summary>
    int SlotTokens { get; }

    /// <summary>Bytes of all slots together.</summary>
    long CacheBytes { get; }

    /// <summary>Keeps a slot's first <paramref name="length"/> cached tokens and forgets the rest.</summary>
    void Truncate(int slot, int length);

    /// <summary>Makes slot <paramref name="to"/> hold a copy of the first <paramref name="length"/> cached tokens of <paramref name="from"/>.</summary>
    void CopyPrefix(int from, int to, int length);

    /// <summary>Feeds each row's new tokens, extends its slot by them, and hands the wanted logits to the sink, row by row in order.</summary>
    void Forward(IReadOnlyList<StepRow> rows, ILogitsSink sink);
}

/// <summary>Takes the logits of a step.</summary>
internal interface ILogitsSink
{
    /// <summary>Logits after one of a row's new tokens.</summary>
    /// <param name="row">The row.</param>
    /// <param name="index">Which of its new tokens, from 0.</param>
    /// <param name="logits">One logit a token; valid during the call, and free to be changed in place.</param>
    void Accept(StepRow row, int index, Span<float> logits);
}
