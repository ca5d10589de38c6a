namespace LangTrain.Core.Storage;

/// <summary>A row or blob that was to be made is there already.</summary>
public sealed class AlreadyExistsException(string what, Exception? inner = null) : Exception($"{what} exists already.", inner);
