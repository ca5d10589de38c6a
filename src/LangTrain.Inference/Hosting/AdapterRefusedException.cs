namespace LangTrain.Inference;

/// <summary>An adapter that cannot be served exactly over its base model; becomes a 409 that names the adapter.</summary>
/// <param name="adapterId">The adapter.</param>
/// <param name="reason">What is wrong with it, by the name of the file's key.</param>
/// <param name="inner">Where it was found.</param>
public sealed class AdapterRefusedException(string adapterId, string reason, Exception inner)
    : Exception($"The adapter '{adapterId}' cannot be served: {reason}", inner)
{
    /// <summary>The adapter.</summary>
    public string AdapterId { get; } = adapterId;
}
