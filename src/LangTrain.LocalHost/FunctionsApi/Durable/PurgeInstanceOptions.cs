namespace Microsoft.DurableTask.Client;

/// <summary>How an instance is forgotten.</summary>
/// <param name="Recursive">Whether its sub-orchestrations are forgotten too.</param>
public record PurgeInstanceOptions(bool Recursive = false);
