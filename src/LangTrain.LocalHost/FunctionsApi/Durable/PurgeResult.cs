namespace Microsoft.DurableTask.Client;

/// <summary>What was forgotten.</summary>
public class PurgeResult
{
    /// <summary>Takes the count.</summary>
    public PurgeResult(int count) => PurgedInstanceCount = count;

    /// <summary>How many instances were forgotten.</summary>
    public int PurgedInstanceCount { get; }
}
