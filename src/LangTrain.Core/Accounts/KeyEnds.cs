using LangTrain.Contracts.Accounts;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Accounts;

/// <summary>Closes the WebSockets of a key that ends at a moment known before, which no request is there to notice. Thread-safe.</summary>
/// <remarks>
/// One message a key waits in a queue until then, whoever runs. It goes in before the row says when the key ends: a message too many finds a good
/// key and is dropped, one too few would leave connections open.
/// </remarks>
public sealed class KeyEnds(IAccountStore accounts, IWorkQueue<EndKeyWorkItem> queue, IJobRelay relay, TimeProvider time)
{
    /// <summary>Asks for the connections of a key to be closed at a moment.</summary>
    public Task AnnounceAsync(string accountId, string keyId, DateTimeOffset at, CancellationToken cancellation = default)
    {
        // Queues count whole seconds and cut off the rest.
        var wait = TimeSpan.FromSeconds(Math.Ceiling(Math.Max(0, (at - time.GetUtcNow()).TotalSeconds)));
        return queue.SendAsync(new EndKeyWorkItem(accountId, keyId), wait, cancellation);
    }

    /// <summary>Does what a message asks for, or puts it off where the key ends later (a queue holds nothing back for longer than a week).</summary>
    public async Task ExecuteAsync(EndKeyWorkItem item, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(item);
        var now = time.GetUtcNow();
        if (await accounts.FindKeyAsync(item.AccountId, item.KeyId, cancellation) is { Value: var key })
        {
            if (key.EndsAt is not { } end)
            {
                return;
            }

            if (end > now)
            {
                await AnnounceAsync(item.AccountId, item.KeyId, end, cancellation);
                return;
            }
        }

        await relay.DisconnectKeyAsync(item.AccountId, item.KeyId, cancellation);
    }
}
