namespace LangTrain.Core.Storage;

/// <summary>Somebody else wrote the row since it was read, or it is gone. Read again, decide again, write again.</summary>
public sealed class StaleWriteException(string what, Exception? inner = null) : Exception($"{what} was changed by somebody else.", inner);
