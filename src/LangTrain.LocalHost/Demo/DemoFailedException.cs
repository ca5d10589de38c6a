namespace LangTrain.LocalHost.Demo;

/// <summary>The demo did not do what it is there to show.</summary>
internal sealed class DemoFailedException(string message) : Exception(message);
