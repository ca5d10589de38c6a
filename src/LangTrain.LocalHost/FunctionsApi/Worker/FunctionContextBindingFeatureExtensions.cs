namespace Microsoft.Azure.Functions.Worker;

/// <summary>Reaches the result of an invocation.</summary>
public static class FunctionContextBindingFeatureExtensions
{
    /// <summary>The result, live: setting its value replaces what the function gave.</summary>
    public static InvocationResult GetInvocationResult(this FunctionContext context) => new Untyped((IInvocationResultHolder)context);

    /// <summary>The result as a type.</summary>
    /// <exception cref="InvalidOperationException">The function gave something else.</exception>
    public static InvocationResult<T?> GetInvocationResult<T>(this FunctionContext context)
    {
        var holder = (IInvocationResultHolder)context;
        return holder.Result is null or T
            ? new Typed<T>(holder)
            : throw new InvalidOperationException($"The function's result is a {holder.Result.GetType()}, not a {typeof(T)}.");
    }

    private sealed class Untyped(IInvocationResultHolder holder) : InvocationResult
    {
        public override object? Value
        {
            get => holder.Result;
            set => holder.Result = value;
        }
    }

    private sealed class Typed<T>(IInvocationResultHolder holder) : InvocationResult<T?>
    {
        public override T? Value
        {
            get => (T?)holder.Result;
            set => holder.Result = value;
        }
    }
}
