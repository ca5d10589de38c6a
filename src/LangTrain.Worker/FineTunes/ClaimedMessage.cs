using LangTrain.Contracts.FineTunes;

namespace LangTrain.Worker.FineTunes;

/// <summary>The message that led to a claim, or came too late for one.</summary>
internal static class ClaimedMessage
{
    /// <summary>Ends it. One that cannot be deleted comes again and is found stale; what it led to must not wait for that until its lease runs out.</summary>
    /// <param name="deleteMessage">Ends it in the queue.</param>
    /// <param name="item">What it said.</param>
    /// <param name="logger">Told when it stays.</param>
    public static async Task EndAsync(Func<Task> deleteMessage, TrainModelWorkItem item, ILogger logger)
    {
        try
        {
            await deleteMessage();
        }
        catch (Exception failure)
        {
            logger.MessageStays(failure, item.Attempt, item.JobId);
        }
    }
}
