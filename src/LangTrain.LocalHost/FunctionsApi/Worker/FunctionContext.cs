namespace Microsoft.Azure.Functions.Worker;

/// <summary>One invocation of a function. Not to be kept beyond it.</summary>
public abstract class FunctionContext
{
    /// <summary>Id of this invocation.</summary>
    public abstract string InvocationId { get; }

    /// <summary>Id of the function.</summary>
    public abstract string FunctionId { get; }

    /// <summary>The trace that it belongs to.</summary>
    public abstract TraceContext TraceContext { get; }

    /// <summary>What the trigger brought.</summary>
    public abstract BindingContext BindingContext { get; }

    /// <summary>How often it was tried.</summary>
    public abstract RetryContext RetryContext { get; }

    /// <summary>Services of this invocation's scope.</summary>
    public abstract IServiceProvider InstanceServices { get; set; }

    /// <summary>The function.</summary>
    public abstract FunctionDefinition FunctionDefinition { get; }

    /// <summary>Whatever middleware and function want to hand to each other.</summary>
    public abstract IDictionary<object, object> Items { get; set; }

    /// <summary>Ends when the host stops or the caller has gone.</summary>
    public virtual CancellationToken CancellationToken { get; }
}
