using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;

namespace LangTrain.LocalHost.Queues;

/// <summary>Keeps a message out of sight while it is handled. One thread at a time.</summary>
internal sealed class MessageLease(QueueClient queue, QueueMessage message, TimeSpan length, TimeProvider time)
{
    /// <summary>Proof that the message is ours; each renewal gives another.</summary>
    public string Receipt { get; private set; } = message.PopReceipt;

    /// <summary>Renews until it is told to stop, or the message is no longer ours.</summary>
    public async Task KeepAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await Task.Delay(length / 2, time, stop);
                // Not cancelled half-way: an answer that is not read would leave us without the receipt.
                var renewed = await queue.UpdateMessageAsync(message.MessageId, Receipt, visibilityTimeout: length, cancellationToken: CancellationToken.None);
                Receipt = renewed.Value.PopReceipt;
            }
        }
        catch (OperationCanceledException)
        {
            // The function has ended.
        }
        catch (RequestFailedException)
        {
            // It runs out and the message comes again: twice is allowed, lost is not.
        }
    }

    /// <summary>Lets the message be seen again after a while.</summary>
    public Task GiveBackAsync(TimeSpan delay) =>
        queue.UpdateMessageAsync(message.MessageId, Receipt, visibilityTimeout: delay, cancellationToken: CancellationToken.None);
}
