namespace LangTrain.Inference;

/// <summary>The engine's admission queue is full; becomes a 503 with <c>Retry-After</c>.</summary>
/// <param name="queueLength">Requests that wait already.</param>
/// <param name="retryAfter">When a place is likely to be free, from how long requests waited lately; at least a second.</param>
public sealed class EngineQueueFullException(int queueLength, TimeSpan retryAfter)
    : Exception($"{queueLength} requests wait for this model already; try again in {retryAfter.TotalSeconds:0} s.")
{
    /// <summary>Requests that wait already.</summary>
    public int QueueLength { get; } = queueLength;

    /// <summary>When a place is likely to be free; at least a second.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}
