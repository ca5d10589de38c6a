using LangTrain.Inference.Hosting;

namespace LangTrain.Inference;

/// <summary>The right to use a served model; it stays loaded until the lease is disposed.</summary>
public sealed class ModelLease : IAsyncDisposable
{
    private readonly Lease<ServedModel> _lease;

    internal ModelLease(Lease<ServedModel> lease) => _lease = lease;

    /// <summary>The model.</summary>
    public ServedModel Model => _lease.Value;

    /// <summary>Gives the lease back; rows that run still are not cut off while the model stays in memory.</summary>
    public ValueTask DisposeAsync() => _lease.DisposeAsync();
}
