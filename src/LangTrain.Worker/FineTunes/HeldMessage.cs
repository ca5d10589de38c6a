using LangTrain.Core.Storage;

namespace LangTrain.Worker.FineTunes;

/// <summary>Keeps a received message in its queue, out of sight, until its work has ended; disposing ends the message.</summary>
/// <remarks>
/// For executions of a Container Apps job: its scaler starts as many as the queue has messages beyond the executions that run, so a message
/// that went at the claim would leave the next job waiting for this one. When the process dies the message comes again and is found stale.
/// </remarks>
internal sealed class HeldMessage<T> : IAsyncDisposable
{
    private readonly IWorkQueue<T> _queue;
    private readonly TimeSpan _visibility;
    private readonly PeriodicTimer _timer;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _renewing;
    private ReceivedMessage<T> _message;

    /// <summary>Begins to hold it.</summary>
    /// <param name="queue">Where it was received.</param>
    /// <param name="message">Just received.</param>
    /// <param name="visibility">For how long it was taken out of sight, and is again at each renewal.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Told when the queue does not answer.</param>
    public HeldMessage(IWorkQueue<T> queue, ReceivedMessage<T> message, TimeSpan visibility, TimeProvider time, ILogger logger)
    {
        (_queue, _message, _visibility, _logger) = (queue, message, visibility, logger);
        _timer = new PeriodicTimer(visibility / 3, time);
        _renewing = Task.Run(RenewAsync);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.Dispose();
        _timer.Dispose();
        try
        {
            await _queue.DeleteAsync(_message, CancellationToken.None);
        }
        catch (Exception failure)
        {
            // It comes again and is found stale.
            _logger.QueueFailed(failure, _visibility);
        }
    }

    private async Task RenewAsync()
    {
        while (await _timer.WaitForNextTickAsync(_ended.Token))
        {
            try
            {
                // Not stopped half-way: a receipt that is lost could not end the message.
                if (await _queue.RenewAsync(_message, _visibility, CancellationToken.None) is not { } renewed)
                {
                    return;
                }

                _message = renewed;
            }
            catch (Exception failure)
            {
                _logger.QueueFailed(failure, _visibility / 3);
            }
        }
    }
}
