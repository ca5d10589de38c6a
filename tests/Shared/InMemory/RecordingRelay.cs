using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;

namespace LangTrain.Testing;

/// <summary>Keeps what was published, in order, in place of sending it. Thread-safe.</summary>
public sealed class RecordingRelay : IJobRelay
{
    private readonly Lock _lock = new();
    private readonly List<(FineTuneRef Job, JobEvent Event)> _published = [];
    private readonly List<string> _disconnected = [];
    private readonly List<(string ConnectionId, JobEvent Event)> _sent = [];

    /// <summary>Events published to the group of a job.</summary>
    public IReadOnlyList<JobEvent> PublishedTo(FineTuneRef job)
    {
        lock (_lock)
        {
            return [.. _published.Where(p => p.Job == job).Select(p => p.Event)];
        }
    }

    /// <summary>Events sent to one connection.</summary>
    public IReadOnlyList<JobEvent> SentTo(string connectionId)
    {
        lock (_lock)
        {
            return [.. _sent.Where(s => s.ConnectionId == connectionId).Select(s => s.Event)];
        }
    }

    public void Publish(FineTuneRef job, IReadOnlyList<JobEvent> events)
    {
        lock (_lock)
        {
            _published.AddRange(events.Select(e => (job, e)));
        }
    }

    public Task<Uri> CreateClientUrlAsync(JobStreamUser user, TimeSpan lifetime, CancellationToken cancellation = default) =>
        Task.FromResult(new Uri($"wss://relay.example/client/hubs/jobs?access_token={user}.{(long)lifetime.TotalSeconds}"));

    /// <summary>Keys whose connections were ended, as account/key.</summary>
    public IReadOnlyList<string> Disconnected
    {
        get
        {
            lock (_lock)
            {
                return [.. _disconnected];
            }
        }
    }

    public Task DisconnectKeyAsync(string accountId, string keyId, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            _disconnected.Add($"{accountId}/{keyId}");
        }

        return Task.CompletedTask;
    }

    public Task SendToConnectionAsync(string connectionId, IReadOnlyList<JobEvent> events, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            _sent.AddRange(events.Select(e => (connectionId, e)));
        }

        return Task.CompletedTask;
    }
}
