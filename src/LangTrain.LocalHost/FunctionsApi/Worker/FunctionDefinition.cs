using System.Collections.Immutable;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>A function as the host knows it.</summary>
public abstract class FunctionDefinition
{
    /// <summary>Where its assembly lies.</summary>
    public abstract string PathToAssembly { get; }

    /// <summary>Full name of its method.</summary>
    public abstract string EntryPoint { get; }

    /// <summary>Stable id of the function.</summary>
    public abstract string Id { get; }

    /// <summary>Its name.</summary>
    public abstract string Name { get; }

    /// <summary>What it takes, by parameter name; the trigger is among them.</summary>
    public abstract IImmutableDictionary<string, BindingMetadata> InputBindings { get; }
}
