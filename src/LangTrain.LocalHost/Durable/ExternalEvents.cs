namespace LangTrain.LocalHost.Durable;

/// <summary>Events of one orchestration in one turn: kept until somebody waits for them, given in the order in which they came.</summary>
internal sealed class ExternalEvents
{
    private readonly List<(string Name, string? Payload)> _unreceived = [];
    private readonly List<(string Name, TaskCompletionSource<string?> Waiter)> _waiters = [];

    /// <summary>Whether anybody waits.</summary>
    public bool HasWaiters => _waiters.Count > 0;

    /// <summary>Events that nobody has waited for.</summary>
    public IReadOnlyList<(string Name, string? Payload)> Unreceived() => [.. _unreceived];

    /// <summary>Gives an event to who waited first for its name, or keeps it.</summary>
    public void Raise(string name, string? payload)
    {
        var index = _waiters.FindIndex(one => IsSame(one.Name, name));
        if (index < 0)
        {
            _unreceived.Add((name, payload));
            return;
        }

        var waiter = _waiters[index].Waiter;
        _waiters.RemoveAt(index);
        waiter.TrySetResult(payload);
    }

    /// <summary>Waits for an event by its name; letters' case does not count.</summary>
    public Task<string?> WaitAsync(string name, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return Task.FromCanceled<string?>(cancellation);
        }

        var index = _unreceived.FindIndex(one => IsSame(one.Name, name));
        if (index >= 0)
        {
            var payload = _unreceived[index].Payload;
            _unreceived.RemoveAt(index);
            return Task.FromResult(payload);
        }

        var waiter = new TaskCompletionSource<string?>();
        _waiters.Add((name, waiter));
        cancellation.Register(() =>
        {
            if (waiter.TrySetCanceled(cancellation))
            {
                _waiters.RemoveAll(one => one.Waiter == waiter);
            }
        });
        return waiter.Task;
    }

    private static bool IsSame(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
}
