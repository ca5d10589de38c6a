using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.FineTunes;

/// <summary>Starts and wakes the orchestrations of fine-tunes; doing either twice does no harm.</summary>
internal static class FineTuneOrchestrations
{
    /// <summary>Makes sure that the job's orchestration was started.</summary>
    /// <param name="client">The orchestrations.</param>
    /// <param name="job">A job that has not ended.</param>
    /// <param name="restartEnded">Start it anew where it has ended though the job has not: it failed by an error of its own.</param>
    /// <param name="cancellation">Stops it.</param>
    public static Task EnsureStartedAsync(this DurableTaskClient client, FineTuneRef job, bool restartEnded, CancellationToken cancellation) =>
        client.EnsureStartedAsync(FineTuneFunctionNames.Orchestration, job.JobId, new FineTuneRun(job.AccountId, job.JobId), restartEnded, cancellation);

    /// <summary>Makes sure that an orchestration was started under an id.</summary>
    public static async Task EnsureStartedAsync(
        this DurableTaskClient client, string orchestration, string id, object input, bool restartEnded, CancellationToken cancellation)
    {
        if (await IsThereAsync())
        {
            return;
        }

        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(
                orchestration, input, new StartOrchestrationOptions(id), cancellation);
        }
        catch (Exception) when (!cancellation.IsCancellationRequested)
        {
            // Another request or the sweep was faster, which the real client reports in more than one way: look again before believing an error.
            if (!await IsThereAsync())
            {
                throw;
            }
        }

        async Task<bool> IsThereAsync() => await client.GetInstanceAsync(id, cancellation) is { } found && !(restartEnded && found.IsCompleted);
    }

    /// <summary>Raises a signal; an orchestration that has ended needs none, since its job has ended before it.</summary>
    public static async Task SignalAsync(this DurableTaskClient client, FineTuneSignal signal, CancellationToken cancellation)
    {
        try
        {
            await client.RaiseEventAsync(signal.JobId, FineTuneSignal.EventName, signal, cancellation);
        }
        catch (Exception) when (!cancellation.IsCancellationRequested)
        {
            if (await client.GetInstanceAsync(signal.JobId, cancellation) is not { IsCompleted: true })
            {
                throw;
            }
        }
    }

    /// <summary>Does what the owner of a job wishes.</summary>
    /// <returns>The job as it stands now.</returns>
    /// <exception cref="Core.Errors.ApiException">404; 409.</exception>
    public static async Task<FineTune> ControlAsync(
        this DurableTaskClient client, ControlFineTune control, FineTuneRef job, FineTuneControl wish, CancellationToken cancellation)
    {
        var changed = await control.ExecuteAsync(job, wish, cancellation);
        await client.EnsureStartedAsync(job, restartEnded: false, cancellation);
        await client.WakeAsync(job, cancellation);
        return changed;
    }

    /// <summary>Wakes the job's orchestration for a wish of its owner.</summary>
    public static Task WakeAsync(this DurableTaskClient client, FineTuneRef job, CancellationToken cancellation) => client.SignalAsync(
        new FineTuneSignal { AccountId = job.AccountId, JobId = job.JobId, Kind = FineTuneSignalKind.ControlRequested }, cancellation);
}
