using LangTrain.Contracts.FineTunes;

namespace LangTrain.Core.FineTunes;

/// <summary>Live delivery of job events to connected clients (Azure Web PubSub). Thread-safe.</summary>
/// <remarks>
/// Best effort and never in the way: publishing queues in bounded memory and does not throw; what a client missed it reads from the log.
/// </remarks>
public interface IJobRelay
{
    /// <summary>Sends events, already in the log, to the job's group.</summary>
    void Publish(FineTuneRef job, IReadOnlyList<JobEvent> events);

    /// <summary>Address at which a client hears one job: a signed token with the job's group in it, no more rights than that.</summary>
    /// <param name="user">The job, and the key that is answerable for the connection.</param>
    /// <param name="lifetime">How long the address can be used to connect.</param>
    /// <param name="cancellation">Stops it.</param>
    Task<Uri> CreateClientUrlAsync(JobStreamUser user, TimeSpan lifetime, CancellationToken cancellation = default);

    /// <summary>Sends stored events to one connection alone (replay after it connected).</summary>
    Task SendToConnectionAsync(string connectionId, IReadOnlyList<JobEvent> events, CancellationToken cancellation = default);

    /// <summary>Ends all connections of a key. Tried a few times; then it is logged and the connections stay.</summary>
    Task DisconnectKeyAsync(string accountId, string keyId, CancellationToken cancellation = default);
}
