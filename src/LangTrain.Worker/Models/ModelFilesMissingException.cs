namespace LangTrain.Worker.Models;

/// <summary>A model's files are not where its row says.</summary>
internal sealed class ModelFilesMissingException(string message) : Exception(message);
