using System.Text.Json;
using LangTrain.Contracts;
using LangTrain.Contracts.Webhooks;
using LangTrain.Core.Usage;
using LangTrain.Core.Webhooks;

namespace LangTrain.Core.FineTunes;

/// <summary>Does what follows the end of a job: counts what it used, tells its owner's webhooks, and tidies up. Thread-safe.</summary>
/// <remarks>
/// Done at least once for every job that has ended, whoever ended it, and again after a death in between. All parts bear it: the usage of a job is
/// one row that holds its whole sum, an event is one delivery a webhook, and what was removed is not there.
/// </remarks>
public sealed class FinishFineTune(IUsageStore usage, PublishWebhookEvent publish, TidyFineTune tidy)
{
    /// <summary>Does it.</summary>
    public async Task ExecuteAsync(FineTune job, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        var at = job.FinishedAt ?? throw new ArgumentException("The job has not ended.", nameof(job));
        var amounts = new UsageAmounts
        {
            TrainedTokens = job.Outcome?.TrainedTokens ?? job.Progress.TrainedTokens,
            TrainingSeconds = job.Outcome?.TrainingSeconds ?? job.Progress.TrainingSeconds,
        };
        if (amounts != new UsageAmounts())
        {
            await usage.PutAsync(
                [new UsageRow(job.AccountId, DateOnly.FromDateTime(at.UtcDateTime), job.KeyId, job.BaseModelId, job.Id, amounts)], cancellation);
        }

        var type = job.Status switch
        {
            FineTuneStatus.Completed => WebhookEvents.FineTuneCompleted,
            FineTuneStatus.Failed => WebhookEvents.FineTuneFailed,
            _ => WebhookEvents.FineTuneCancelled,
        };
        await publish.ExecuteAsync(job.AccountId, type, at, job.Id, JsonSerializer.SerializeToElement(Data(job), ApiJson.Wire.FineTuneEventData), cancellation);
        await tidy.ExecuteAsync(job, cancellation);
    }

    private static FineTuneEventData Data(FineTune job) => new()
    {
        Id = job.Id,
        Name = job.Name,
        ModelId = job.ModelId,
        Status = job.Status.Word(),
        FineTunedModel = job.FineTunedModelId,
        Error = job.Error,
        TrainedTokens = job.Outcome?.TrainedTokens ?? job.Progress.TrainedTokens,
        Metadata = job.Metadata,
        CreatedAt = job.CreatedAt.ToUnixTimeSeconds(),
        FinishedAt = job.FinishedAt?.ToUnixTimeSeconds(),
    };
}
