namespace LangTrain.AzureAdapters;

/// <summary>A table, queue or container that is made at its first use, once for all callers of this process. Thread-safe.</summary>
/// <remarks>A making that failed is tried again by the next caller; one caller's cancellation does not harm the others.</remarks>
internal sealed class LazyResource<T>(T resource, Func<T, Task> createIfAbsent)
    where T : class
{
    private readonly Lock _lock = new();
    private Task? _creation;

    /// <summary>The resource whether it exists or not: for reads, which take "not there" for "nothing in it".</summary>
    public T Unchecked => resource;

    /// <summary>The resource, which exists.</summary>
    public async ValueTask<T> GetAsync(CancellationToken cancellation)
    {
        Task creation;
        lock (_lock)
        {
            if (_creation is null or { IsFaulted: true } or { IsCanceled: true })
            {
                _creation = Task.Run(() => createIfAbsent(resource), CancellationToken.None);
            }

            creation = _creation;
        }

        if (!creation.IsCompletedSuccessfully)
        {
            await creation.WaitAsync(cancellation);
        }

        return resource;
    }
}
