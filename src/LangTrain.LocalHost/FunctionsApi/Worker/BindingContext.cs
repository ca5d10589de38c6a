namespace Microsoft.Azure.Functions.Worker;

/// <summary>What the trigger brought besides its value.</summary>
public abstract class BindingContext
{
    /// <summary>Values by name: route values of a request, properties of a queue message.</summary>
    public abstract IReadOnlyDictionary<string, object?> BindingData { get; }
}
