namespace LangTrain.LocalHost.Hosting;

/// <summary>Holds requests to the limits of host.json. Thread-safe.</summary>
internal sealed class RequestGate(HostJson settings) : IDisposable
{
    private readonly SemaphoreSlim? _running = settings.MaxConcurrentRequests is { } limit ? new SemaphoreSlim(limit) : null;
    private int _outstanding;

    /// <summary>Lets a request in, waiting for its turn; null where too many wait already.</summary>
    public async Task<IDisposable?> EnterAsync(CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref _outstanding) > (settings.MaxOutstandingRequests ?? int.MaxValue))
        {
            Interlocked.Decrement(ref _outstanding);
            return null;
        }

        try
        {
            if (_running is not null)
            {
                await _running.WaitAsync(cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            Interlocked.Decrement(ref _outstanding);
            throw;
        }

        return new Entry(this);
    }

    public void Dispose() => _running?.Dispose();

    private void Leave()
    {
        _running?.Release();
        Interlocked.Decrement(ref _outstanding);
    }

    private sealed class Entry(RequestGate gate) : IDisposable
    {
        public void Dispose() => gate.Leave();
    }
}
