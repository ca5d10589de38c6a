namespace LangTrain.Modeling;

/// <summary>A model folder asks for something that this library does not compute; thrown instead of computing something else.</summary>
public sealed class UnsupportedModelException : Exception
{
    /// <summary>Makes the error for one key of config.json, or for the folder as a whole.</summary>
    /// <param name="key">The offending key (<c>rope_scaling.rope_type</c>), or null where no single key is to blame.</param>
    /// <param name="message">What was found and what is supported.</param>
    public UnsupportedModelException(string? key, string message)
        : base(key is null ? message : $"config.json: '{key}': {message}") => Key = key;

    /// <summary>The key of config.json that is not honoured, if one is to blame.</summary>
    public string? Key { get; }
}
