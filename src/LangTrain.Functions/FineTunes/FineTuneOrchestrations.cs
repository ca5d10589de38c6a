using LangTrain.Contracts.FineTunes;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.FineTunes;

/// <summary>Starts and wakes the orchestrations of fine-tunes; doing either twice does no harm.</summary>
internal static class FineTuneOrchestrations
{
    /// <summary>Makes sure that the job's orchestration was started.</summary>
    public static async Task EnsureStartedAsync(this DurableTaskClient client, FineTuneRef job, CancellationToken cancellation)
    {
        if (await client.GetInstanceAsync(job.JobId, cancellation) is not null)
        {
            return;
        }

        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(
                FineTuneFunctionNames.Orchestration, new FineTuneRun(job.AccountId, job.JobId), new StartOrchestrationOptions(job.JobId), cancellation);
        }
        catch (Exception) when (!cancellation.IsCancellationRequested)
        {
            // Another request or the sweep was faster, which the real client reports in more than one way: look again before believing an error.
            if (await client.GetInstanceAsync(job.JobId, cancellation) is null)
            {
                throw;
            }
        }
    }

    /// <summary>Wakes the job's orchestration for a wish of its owner.</summary>
    public static Task WakeAsync(this DurableTaskClient client, FineTuneRef job, CancellationToken cancellation) => client.RaiseEventAsync(
        job.JobId,
        FineTuneSignal.EventName,
        new FineTuneSignal { AccountId = job.AccountId, JobId = job.JobId, Kind = FineTuneSignalKind.ControlRequested },
        cancellation);
}
