namespace LangTrain.Core.Errors;

/// <summary>One thing that is wrong with a request.</summary>
/// <param name="Message">For people: what was given, what is allowed. A sentence.</param>
/// <param name="Code">Stable word for programs, snake_case.</param>
/// <param name="Param">Path of the value at fault (<c>config.lora_config.r</c>), or null.</param>
public sealed record ApiProblem(string Message, string Code, string? Param = null);
