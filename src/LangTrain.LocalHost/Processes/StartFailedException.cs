namespace LangTrain.LocalHost.Processes;

/// <summary>The host cannot start. The message is one line for the person at the terminal and says what to do.</summary>
internal sealed class StartFailedException(string message, Exception? inner = null) : Exception(message, inner);
