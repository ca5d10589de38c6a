namespace LangTrain.Worker.Models;

/// <summary>A model's files are not where its row says.</summary>
/// <param name="message">What is missing.</param>
/// <param name="mayPass">Whether they may be there a little later: they are being replaced perhaps.</param>
/// <param name="inner">What showed it, if anything.</param>
internal sealed class ModelFilesMissingException(string message, bool mayPass = false, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether they may be there a little later.</summary>
    public bool MayPass => mayPass;
}
