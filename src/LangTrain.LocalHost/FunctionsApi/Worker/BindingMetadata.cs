namespace Microsoft.Azure.Functions.Worker;

/// <summary>One binding of a function.</summary>
public abstract class BindingMetadata
{
    /// <summary>The parameter's name.</summary>
    public abstract string Name { get; }

    /// <summary>What it is, for example <c>httpTrigger</c>.</summary>
    public abstract string Type { get; }
}
