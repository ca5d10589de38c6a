namespace Microsoft.Azure.Functions.Worker;

/// <summary>What a worker tells its host of itself. LocalHost asks for nothing of it.</summary>
public class WorkerOptions
{
    /// <summary>Words that the host knows, with their values.</summary>
    public IDictionary<string, string> Capabilities { get; } = new Dictionary<string, string>();
}
