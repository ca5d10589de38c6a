namespace LangTrain.LocalHost.Hosting;

/// <summary>How one parameter of a function gets its value.</summary>
/// <param name="Name">The parameter's name.</param>
/// <param name="BindingType">The binding's type as Functions names it; null for what needs no binding.</param>
/// <param name="Bind">Gives the value for an invocation.</param>
internal sealed record ParameterBinding(string Name, string? BindingType, Func<LocalFunctionContext, object?> Bind);
