namespace LangTrain.Inference.Structured;

/// <summary>A schema asks for something that cannot be held to; becomes a 400 on <c>response_format</c>.</summary>
internal sealed class UnsupportedSchemaException(string keyword, string message) : Exception(message)
{
    /// <summary>The keyword.</summary>
    public string Keyword { get; } = keyword;
}
