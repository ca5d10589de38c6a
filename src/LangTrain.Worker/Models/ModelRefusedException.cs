namespace LangTrain.Worker.Models;

/// <summary>A model task cannot be done, for a reason that its owner can mend; the message is for them.</summary>
internal sealed class ModelRefusedException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Stable code.</summary>
    public string Code { get; } = code;
}
