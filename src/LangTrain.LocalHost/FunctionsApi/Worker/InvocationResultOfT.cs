namespace Microsoft.Azure.Functions.Worker;

/// <summary>What a function gave, which middleware may replace.</summary>
/// <typeparam name="T">Type of the result.</typeparam>
public abstract class InvocationResult<T>
{
    /// <summary>The result.</summary>
    public abstract T? Value { get; set; }
}
