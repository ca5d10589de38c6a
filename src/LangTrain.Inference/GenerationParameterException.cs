namespace LangTrain.Inference;

/// <summary>A request asks for something that the engine refuses; becomes a 400 that names <see cref="Parameter"/>.</summary>
/// <param name="parameter">The parameter as it is spelled on the wire (<c>top_p</c>).</param>
/// <param name="message">What was given and what is allowed, for the person who sent it.</param>
public sealed class GenerationParameterException(string parameter, string message) : ArgumentException(message)
{
    /// <summary>The parameter as it is spelled on the wire.</summary>
    public string Parameter { get; } = parameter;
}
