using System.Globalization;
using System.Text;
using System.Text.Json;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using LangTrain.LocalHost.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LangTrain.LocalHost.Queues;

/// <summary>
/// Runs one queue function: takes messages in batches, renews each while it is handled, deletes it when the function returned,
/// lets it come again when it threw, and moves it to <c>&lt;queue&gt;-poison</c> after the last try. At least once, never in order.
/// </summary>
internal sealed class QueueListener(
    LocalFunction function,
    QueueFunctionTrigger trigger,
    QueueServiceClient queues,
    HostJson settings,
    FunctionPipeline pipeline,
    IServiceScopeFactory scopes,
    IOptions<JsonSerializerOptions> json,
    TimeProvider time,
    ILogger<QueueListener> logger)
{
    // Only this process sees a message in the meantime; after kill -9 it comes again when this has passed.
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);

    private readonly QueueClient _queue = queues.GetQueueClient(trigger.QueueName);
    private int _running;

    /// <summary>Listens until the host stops, then lets running functions end.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        var running = new List<Task>();
        var pause = ShortestPause;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                running.RemoveAll(task => task.IsCompleted);
                if (Volatile.Read(ref _running) > settings.QueueNewBatchThreshold)
                {
                    await Task.WhenAny(running).WaitAsync(stopping);
                    continue;
                }

                var messages = await _queue.ReceiveMessagesAsync(settings.QueueBatchSize, Lease, stopping);
                foreach (var message in messages.Value)
                {
                    Interlocked.Increment(ref _running);
                    running.Add(Task.Run(() => HandleAsync(message, stopping), CancellationToken.None));
                }

                pause = messages.Value.Length > 0 ? ShortestPause : Longer(pause);
                if (messages.Value.Length == 0)
                {
                    await Task.Delay(pause, time, stopping);
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                break;
            }
            catch (RequestFailedException absent) when (absent.ErrorCode == QueueErrorCode.QueueNotFound)
            {
                await CreateQueueAsync(stopping);
            }
            catch (Exception failure) when (failure is RequestFailedException or AggregateException or IOException)
            {
                logger.QueueUnreachable(failure, trigger.QueueName);
                pause = Longer(pause);
                await Task.Delay(pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await Task.WhenAll(running);
    }

    private TimeSpan Longer(TimeSpan pause) => pause * 2 < settings.QueueMaxPollingInterval ? pause * 2 : settings.QueueMaxPollingInterval;

    private async Task CreateQueueAsync(CancellationToken stopping)
    {
        try
        {
            await _queue.CreateIfNotExistsAsync(cancellationToken: stopping);
        }
        catch (Exception failure) when (failure is RequestFailedException or AggregateException or OperationCanceledException)
        {
            logger.QueueUnreachable(failure, trigger.QueueName);
            await Task.Delay(ShortestPause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task HandleAsync(QueueMessage message, CancellationToken stopping)
    {
        var lease = new MessageLease(_queue, message, Lease, time);
        try
        {
            if (message.DequeueCount > settings.QueueMaxDequeueCount)
            {
                // The host died in the last try.
                await PoisonAsync(message, lease);
                return;
            }

            using var renewing = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            var renewal = lease.KeepAsync(renewing.Token);
            Exception? thrown = null;
            try
            {
                await CallAsync(message, stopping);
            }
            catch (Exception failure)
            {
                thrown = failure;
            }

            await renewing.CancelAsync();
            await renewal;
            await EndAsync(message, lease, thrown, stopping);
        }
        catch (Exception failure)
        {
            // The message comes again; the function has to bear that anyway.
            logger.QueueUnreachable(failure, trigger.QueueName);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    private async Task EndAsync(QueueMessage message, MessageLease lease, Exception? thrown, CancellationToken stopping)
    {
        if (thrown is null)
        {
            await _queue.DeleteMessageAsync(message.MessageId, lease.Receipt, CancellationToken.None);
        }
        else if (stopping.IsCancellationRequested)
        {
            await lease.GiveBackAsync(TimeSpan.Zero);
        }
        else
        {
            logger.MessageFailed(thrown, message.MessageId, trigger.QueueName, message.DequeueCount, settings.QueueMaxDequeueCount);
            await (message.DequeueCount >= settings.QueueMaxDequeueCount
                ? PoisonAsync(message, lease)
                : lease.GiveBackAsync(settings.QueueVisibilityTimeout));
        }
    }

    private async Task CallAsync(QueueMessage message, CancellationToken stopping)
    {
        var text = settings.QueueBase64
            ? Encoding.UTF8.GetString(Convert.FromBase64String(message.Body.ToString()))
            : message.Body.ToString();
        var value = trigger.MessageType == typeof(string) ? text : JsonSerializer.Deserialize(text, trigger.MessageType, json.Value);
        var data = new Dictionary<string, object?>
        {
            ["Id"] = message.MessageId,
            ["DequeueCount"] = message.DequeueCount.ToString(CultureInfo.InvariantCulture),
            ["InsertionTime"] = message.InsertedOn,
            ["QueueTrigger"] = text,
        };
        await using var scope = scopes.CreateAsyncScope();
        await pipeline.RunAsync(new LocalFunctionContext(
            function, value, data, scope.ServiceProvider, (int)message.DequeueCount - 1, settings.QueueMaxDequeueCount, stopping));
    }

    private async Task PoisonAsync(QueueMessage message, MessageLease lease)
    {
        var poison = queues.GetQueueClient(trigger.QueueName + "-poison");
        await poison.CreateIfNotExistsAsync(cancellationToken: CancellationToken.None);
        await poison.SendMessageAsync(message.Body, timeToLive: TimeSpan.FromSeconds(-1), cancellationToken: CancellationToken.None);
        await _queue.DeleteMessageAsync(message.MessageId, lease.Receipt, CancellationToken.None);
        logger.MessagePoisoned(message.MessageId, trigger.QueueName);
    }
}
