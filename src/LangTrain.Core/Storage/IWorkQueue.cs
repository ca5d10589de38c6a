namespace LangTrain.Core.Storage;

/// <summary>A queue of messages of one type. Thread-safe. Delivers at least once, in no promised order.</summary>
public interface IWorkQueue<T>
{
    /// <summary>Puts a message in; it can be received after <paramref name="delay"/>.</summary>
    Task SendAsync(T message, TimeSpan delay = default, CancellationToken cancellation = default);

    /// <summary>Takes a message out of sight for <paramref name="visibility"/>; null when there is none. What is not deleted by then comes again.</summary>
    /// <remarks>A message that cannot be read as <typeparamref name="T"/>, or came too often, is moved to the poison queue and not returned.</remarks>
    Task<ReceivedMessage<T>?> ReceiveAsync(TimeSpan visibility, CancellationToken cancellation = default);

    /// <summary>Keeps a message out of sight for <paramref name="visibility"/> from now on; null when its time ran out and somebody else may have it.</summary>
    /// <returns>The message with the receipt that counts from now on; the old one is worth nothing.</returns>
    Task<ReceivedMessage<T>?> RenewAsync(ReceivedMessage<T> message, TimeSpan visibility, CancellationToken cancellation = default);

    /// <summary>Ends a message; no error when its time ran out and somebody else has it.</summary>
    Task DeleteAsync(ReceivedMessage<T> message, CancellationToken cancellation = default);
}

/// <summary>A message that was received and not deleted yet.</summary>
/// <param name="Value">Its content.</param>
/// <param name="MessageId">Its id in the queue.</param>
/// <param name="Receipt">Proof of this receiving.</param>
/// <param name="DequeueCount">How often it was received, this time included.</param>
public sealed record ReceivedMessage<T>(T Value, string MessageId, string Receipt, long DequeueCount);
