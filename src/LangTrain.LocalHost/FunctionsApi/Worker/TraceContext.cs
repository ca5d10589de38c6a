namespace Microsoft.Azure.Functions.Worker;

/// <summary>The distributed trace that an invocation belongs to (W3C Trace Context).</summary>
public abstract class TraceContext
{
    /// <summary>The <c>traceparent</c> header.</summary>
    public abstract string TraceParent { get; }

    /// <summary>The <c>tracestate</c> header.</summary>
    public abstract string TraceState { get; }
}
