using LangTrain.Core.Files;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.FineTunes;

/// <summary>Puts right what somebody died over, and removes what has expired.</summary>
public sealed class SweepTimerFunctions(SweepFineTunes sweep, UploadedFiles files, PartedUploads uploads, RegisterBaseModels models)
{
    /// <summary>Each minute: jobs without orchestration are started, unheard wishes are told again.</summary>
    [Function("SweepFineTunes")]
    public async Task SweepJobsAsync(
        [TimerTrigger("0 * * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient orchestrations, CancellationToken cancellation)
    {
        await foreach (var (job, isWished) in sweep.FindAsync(cancellation))
        {
            await orchestrations.EnsureStartedAsync(job, restartEnded: true, cancellation);
            if (isWished)
            {
                await orchestrations.WakeAsync(job, cancellation);
            }
        }
    }

    /// <summary>Each hour: expired files go, and uploads that nobody completed.</summary>
    [Function("SweepFiles")]
    public async Task SweepFilesAsync([TimerTrigger("0 7 * * * *")] TimerInfo timer, CancellationToken cancellation)
    {
        await files.DeleteExpiredAsync(cancellation);
        await uploads.SweepAsync(cancellation);
    }

    /// <summary>Each minute: base models that were pushed to storage since are listed.</summary>
    [Function("RegisterPushedModels")]
    public Task RegisterModelsAsync([TimerTrigger("30 * * * * *")] TimerInfo timer, CancellationToken cancellation) => models.FromContainerAsync(cancellation);
}
