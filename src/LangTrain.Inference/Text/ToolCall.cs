namespace LangTrain.Inference;

/// <summary>A call that the answer makes.</summary>
/// <param name="Id">Made here: <c>call_</c> and 24 characters.</param>
/// <param name="Name">The function's name.</param>
/// <param name="Arguments">Its arguments, one JSON object as text.</param>
public sealed record ToolCall(string Id, string Name, string Arguments);
