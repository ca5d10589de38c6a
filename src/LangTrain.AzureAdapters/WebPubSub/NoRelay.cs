using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;

namespace LangTrain.AzureAdapters.WebPubSub;

/// <summary>Stands where no Web PubSub is set up: events are in the log (REST, SSE), and a WebSocket is refused with the reason.</summary>
internal sealed class NoRelay : IJobRelay
{
    /// <inheritdoc/>
    public void Publish(FineTuneRef job, IReadOnlyList<JobEvent> events)
    {
        // Nobody can be connected.
    }

    /// <inheritdoc/>
    /// <exception cref="RelayUnavailableException">Always.</exception>
    public Task<Uri> CreateClientUrlAsync(JobStreamUser user, TimeSpan lifetime, CancellationToken cancellation = default) =>
        throw new RelayUnavailableException();

    /// <inheritdoc/>
    public Task SendToConnectionAsync(string connectionId, IReadOnlyList<JobEvent> events, CancellationToken cancellation = default) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task DisconnectKeyAsync(string accountId, string keyId, CancellationToken cancellation = default) => Task.CompletedTask;
}
