namespace LangTrain.Modeling.Tokenizers;

/// <summary>A tokenizer file asks for something that this code does not do exactly; the message names the key.</summary>
/// <remarks>Thrown while loading, never while encoding: a tokenizer that loads is exact.</remarks>
public sealed class UnsupportedTokenizerException : Exception
{
    /// <summary>Makes the exception for one key of tokenizer.json, or of another file that the key begins with.</summary>
    /// <param name="key">Path of the key, such as <c>pre_tokenizer.type</c>.</param>
    /// <param name="reason">What was found there and what is understood.</param>
    public UnsupportedTokenizerException(string key, string reason)
        : base(key.StartsWith("tokenizer", StringComparison.Ordinal) ? $"{key}: {reason}" : $"tokenizer.json: {key}: {reason}") => Key = key;

    /// <summary>Path of the key that is not understood.</summary>
    public string Key { get; }
}
