using System.Text.Json;
using LangTrain.Contracts.Batches;

namespace LangTrain.Core.Batches;

/// <summary>Batches as they are shown.</summary>
public static class BatchAnswers
{
    /// <summary>A batch.</summary>
    public static BatchAnswer ToAnswer(this Batch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var all = batch.Ended + batch.Current;
        return new()
        {
            Id = batch.Id,
            Endpoint = batch.Endpoint,
            Errors = batch.Problems.Count == 0 ? null : new BatchErrors(batch.Problems),
            InputFileId = batch.InputFileId,
            CompletionWindow = "24h",
            Status = JsonNamingPolicy.SnakeCaseLower.ConvertName(batch.Status.ToString()),
            OutputFileId = batch.OutputFileId,
            ErrorFileId = batch.ErrorFileId,
            CreatedAt = batch.CreatedAt.ToUnixTimeSeconds(),
            InProgressAt = batch.InProgressAt?.ToUnixTimeSeconds(),
            ExpiresAt = batch.ExpiresAt.ToUnixTimeSeconds(),
            FinalizingAt = batch.FinalizingAt?.ToUnixTimeSeconds(),
            CancellingAt = batch.CancellingAt?.ToUnixTimeSeconds(),
            CompletedAt = EndedAs(BatchStatus.Completed),
            FailedAt = EndedAs(BatchStatus.Failed),
            ExpiredAt = EndedAs(BatchStatus.Expired),
            CancelledAt = EndedAs(BatchStatus.Cancelled),
            RequestCounts = new BatchRequestCounts(batch.Total, all.Completed, all.Failed),
            Metadata = batch.Metadata.Count == 0 ? null : batch.Metadata,
            Usage = new BatchUsage(all.InputTokens, all.OutputTokens, all.InputTokens + all.OutputTokens),
        };

        long? EndedAs(BatchStatus status) => batch.Status == status ? batch.EndedAt?.ToUnixTimeSeconds() : null;
    }
}
