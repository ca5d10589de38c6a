namespace LangTrain.LocalHost.Durable;

/// <summary>Runs the continuations of an orchestrator one by one on the thread of its turn. What is posted after the turn is dropped: a replay repeats it.</summary>
internal sealed class OrchestratorThread : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _work = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private bool _ended;

    /// <summary>Whether the caller runs in the turn.</summary>
    public bool IsCurrent => !_ended && Environment.CurrentManagedThreadId == _thread;

    public override void Post(SendOrPostCallback d, object? state)
    {
        // From another thread it is the continuation of something that is not durable, and must not touch the orchestrator.
        if (IsCurrent)
        {
            _work.Enqueue((d, state));
        }
    }

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new InvalidOperationException("An orchestrator must not wait for its own thread.");

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs an action and then everything that was posted, on this thread.</summary>
    public void Run(Action action)
    {
        var outer = Current;
        SetSynchronizationContext(this);
        try
        {
            action();
            while (_work.TryDequeue(out var next))
            {
                next.Callback(next.State);
            }
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    /// <summary>Ends the turn.</summary>
    public void End() => _ended = true;
}
