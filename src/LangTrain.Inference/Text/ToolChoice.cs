namespace LangTrain.Inference;

/// <summary>Whether a chat calls tools: <see cref="Auto"/>, <see cref="None"/>, <see cref="Required"/> or one by name.</summary>
/// <param name="Mode"><c>auto</c>, <c>none</c>, <c>required</c> or <c>function</c>.</param>
/// <param name="FunctionName">The function that must be called, with mode <c>function</c>.</param>
public sealed record ToolChoice(string Mode, string? FunctionName = null)
{
    /// <summary>The model decides.</summary>
    public static ToolChoice Auto { get; } = new("auto");

    /// <summary>No tool is called, and the answer is plain text.</summary>
    public static ToolChoice None { get; } = new("none");

    /// <summary>At least one tool is called.</summary>
    public static ToolChoice Required { get; } = new("required");

    /// <summary>This function is called.</summary>
    public static ToolChoice Function(string name) => new("function", name);
}
