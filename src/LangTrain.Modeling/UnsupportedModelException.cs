namespace LangTrain.Modeling;

/// <summary>A model folder asks for something that this library does not compute; thrown instead of computing something else.</summary>
public sealed class UnsupportedModelException : Exception
{
    /// <summary>Makes the error for one key of a file, or for the folder as a whole.</summary>
    /// <param name="key">The offending key (<c>rope_scaling.rope_type</c>), or null where no single key is to blame.</param>
    /// <param name="message">What was found and what is supported.</param>
    /// <param name="file">The file that has the key.</param>
    public UnsupportedModelException(string? key, string message, string file = "config.json")
        : base(key is null ? message : $"{file}: '{key}': {message}") => Key = key;

    /// <summary>The key of the file that is not honoured, if one is to blame.</summary>
    public string? Key { get; }
}
