namespace LangTrain.Training.Batches;

/// <summary>Tokenized rows that can be read in any order.</summary>
/// <remarks>Read by one thread.</remarks>
public interface ITokenizedExamples
{
    /// <summary>How many there are.</summary>
    int Count { get; }

    /// <summary>Tokens of one example, at least 2.</summary>
    int LengthOf(int index);

    /// <summary>Tokens of one example that the loss is taken on, at least 1; the first token never counts.</summary>
    int TrainedTokensOf(int index);

    /// <summary>One example.</summary>
    TokenizedExample Read(int index);

    /// <summary>SHA-256 over all tokens and masks, in hexadecimal: two sets with one hash train alike.</summary>
    string ContentHash { get; }
}
