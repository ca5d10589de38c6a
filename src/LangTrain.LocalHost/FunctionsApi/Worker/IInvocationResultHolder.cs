namespace Microsoft.Azure.Functions.Worker;

/// <summary>How <see cref="FunctionContextBindingFeatureExtensions"/> reaches the result of an invocation; the host's context implements it.</summary>
internal interface IInvocationResultHolder
{
    /// <summary>What the function gave, or what middleware put in its place.</summary>
    object? Result { get; set; }
}
