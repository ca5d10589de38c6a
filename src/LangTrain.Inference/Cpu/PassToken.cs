using LangTrain.Inference.Engine;

namespace LangTrain.Inference.Cpu;

/// <summary>One new token of a pass.</summary>
/// <param name="Row">The row that it belongs to.</param>
/// <param name="Index">Which of the row's new tokens.</param>
/// <param name="Position">Tokens before it in its sequence.</param>
/// <param name="Id">The token.</param>
/// <param name="Adapter">The row's adapter; null for the base model.</param>
internal readonly record struct PassToken(StepRow Row, int Index, int Position, int Id, CpuAdapter? Adapter);
