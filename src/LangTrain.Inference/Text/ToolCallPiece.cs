namespace LangTrain.Inference;

/// <summary>A part of a tool call that is being written.</summary>
/// <param name="Index">Which of the answer's calls, from 0.</param>
/// <param name="Id">The call's id, in its first piece only.</param>
/// <param name="Name">The function, in its first piece only.</param>
/// <param name="Arguments">More of the arguments' JSON.</param>
public sealed record ToolCallPiece(int Index, string? Id, string? Name, string Arguments);
