namespace LangTrain.Inference.Hosting;

/// <summary>The right to use a cached value until it is given back; giving back twice does no harm.</summary>
internal sealed class Lease<TValue>(TValue value, Func<ValueTask> release) : IAsyncDisposable
{
    private Func<ValueTask>? _release = release;

    public TValue Value { get; } = value;

    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _release, null)?.Invoke() ?? ValueTask.CompletedTask;
}
