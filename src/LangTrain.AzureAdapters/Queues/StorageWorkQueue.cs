using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using LangTrain.Core.Storage;
using Microsoft.Extensions.Logging;

namespace LangTrain.AzureAdapters.Queues;

/// <summary>A storage queue of JSON messages, in base 64 as the queue trigger of Azure Functions has it by default. Thread-safe.</summary>
/// <param name="queue">The queue; its client leaves messages as they are (no encoding of its own, which throws on what it cannot decode).</param>
/// <param name="poison">The queue <c>name-poison</c>.</param>
/// <param name="json">How messages are written.</param>
/// <param name="maxDequeueCount">Receivings of a message before it is moved to <paramref name="poison"/>; host.json has the same for triggers.</param>
/// <param name="logger">Told of moved messages.</param>
internal sealed class StorageWorkQueue<T>(
    LazyResource<QueueClient> queue, LazyResource<QueueClient> poison, JsonTypeInfo<T> json, int maxDequeueCount, ILogger logger) : IWorkQueue<T>
    where T : class
{
    /// <summary>What a queue message may hold.</summary>
    private const int MaxMessageBytes = 64 * 1024;

    private static readonly TimeSpan Forever = TimeSpan.FromSeconds(-1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(7);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The message is larger than 64 KiB.</exception>
    public async Task SendAsync(T message, TimeSpan delay = default, CancellationToken cancellation = default)
    {
        var text = Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(message, json));
        if (text.Length > MaxMessageBytes)
        {
            throw new ArgumentException($"A {typeof(T).Name} of {text.Length} bytes does not fit into a queue message, which holds {MaxMessageBytes}.", nameof(message));
        }

        var client = await queue.GetAsync(cancellation);
        // Without a time to live a message would be dropped after seven days; work waits as long as it must.
        await client.SendMessageAsync(text, Clamp(delay), Forever, cancellation);
    }

    /// <inheritdoc/>
    public async Task<ReceivedMessage<T>?> ReceiveAsync(TimeSpan visibility, CancellationToken cancellation = default)
    {
        var client = await queue.GetAsync(cancellation);
        while ((await client.ReceiveMessageAsync(Clamp(visibility), cancellation)).Value is { } received)
        {
            var value = received.DequeueCount > maxDequeueCount ? null : TryRead(received);
            if (value is not null)
            {
                return new ReceivedMessage<T>(value, received.MessageId, received.PopReceipt, received.DequeueCount);
            }

            await MoveToPoisonAsync(client, received, cancellation);
        }

        return null;
    }

    /// <inheritdoc/>
    public async Task DeleteAsync(ReceivedMessage<T> message, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        await DeleteAsync(await queue.GetAsync(cancellation), message.MessageId, message.Receipt, cancellation);
    }

    /// <inheritdoc/>
    public async Task<ReceivedMessage<T>?> RenewAsync(ReceivedMessage<T> message, TimeSpan visibility, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        var client = await queue.GetAsync(cancellation);
        try
        {
            // Without a text the message keeps the one it has.
            var renewed = await client.UpdateMessageAsync(message.MessageId, message.Receipt, (string?)null, Clamp(visibility), cancellation);
            return message with { Receipt = renewed.Value.PopReceipt };
        }
        catch (RequestFailedException failure) when (IsGone(failure))
        {
            return null;
        }
    }

    private async Task MoveToPoisonAsync(QueueClient client, QueueMessage message, CancellationToken cancellation)
    {
        // First there, then away: after a crash in between it stands in both and is moved again.
        var target = await poison.GetAsync(cancellation);
        await target.SendMessageAsync(message.Body.ToString(), timeToLive: Forever, cancellationToken: cancellation);
        await DeleteAsync(client, message.MessageId, message.PopReceipt, cancellation);
        Logs.MessagePoisoned(logger, client.Name, message.MessageId, message.DequeueCount);
    }

    private static async Task DeleteAsync(QueueClient client, string messageId, string receipt, CancellationToken cancellation)
    {
        try
        {
            await client.DeleteMessageAsync(messageId, receipt, cancellation);
        }
        catch (RequestFailedException failure) when (IsGone(failure))
        {
            // Its time ran out, and it is gone or somebody else's.
        }
    }

    private static bool IsGone(RequestFailedException failure) =>
        failure.ErrorCode == QueueErrorCode.MessageNotFound || failure.ErrorCode == QueueErrorCode.PopReceiptMismatch;

    private T? TryRead(QueueMessage message)
    {
        var text = message.Body.ToMemory();
        try
        {
            // Plain JSON is read as well: people put messages in by hand.
            return JsonSerializer.Deserialize(
                Base64.IsValid(text.Span) ? Convert.FromBase64String(Encoding.UTF8.GetString(text.Span)) : text.Span, json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static TimeSpan Clamp(TimeSpan delay) => delay < LongestDelay ? delay : LongestDelay;
}
