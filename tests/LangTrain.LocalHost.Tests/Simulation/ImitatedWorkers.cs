using System.Text;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace LangTrain.LocalHost.Tests.Simulation;

/// <summary>Does what workers do to the service (claim, one heartbeat, events, artifact, signal) and trains nothing.</summary>
internal sealed class ImitatedWorkers(IServiceProvider services)
{
    private readonly IWorkQueue<TrainModelWorkItem> _jobs = services.GetRequiredService<IWorkQueue<TrainModelWorkItem>>();
    private readonly IWorkQueue<FineTuneSignal> _signals = services.GetRequiredService<IWorkQueue<FineTuneSignal>>();
    private readonly ChangeFineTune _change = services.GetRequiredService<ChangeFineTune>();
    private readonly IJobEventLog _log = services.GetRequiredService<IJobEventLog>();
    private readonly IBlobStore _blobs = services.GetRequiredService<IBlobStore>();
    private readonly StorageNames _names = services.GetRequiredService<StorageNames>();

    /// <summary>Runs so many side by side until stopped.</summary>
    public Task RunAsync(int workers, CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, workers).Select(_ => WorkAsync(stop)));

    private async Task WorkAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (await _jobs.ReceiveAsync(TimeSpan.FromMinutes(1), CancellationToken.None) is not { } message)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), CancellationToken.None);
                continue;
            }

            await TrainAsync(message.Value);
            await _jobs.DeleteAsync(message, CancellationToken.None);
        }
    }

    private async Task TrainAsync(TrainModelWorkItem item)
    {
        var lease = new FineTuneLease(1, "imitated", TimeProvider.System.GetUtcNow().AddMinutes(5));
        await _change.ExecuteAsync(item.Ref(), job => job.Status == FineTuneStatus.Queued ? job with { Status = FineTuneStatus.Running, Lease = lease } : null);
        await _change.ExecuteAsync(item.Ref(), job => job with { Progress = job.Progress with { CurrentStep = 1, TotalSteps = 1 } });
        await _log.AppendAsync(item.Ref(), [new JobEventDraft { Key = "step-1", Type = JobEventTypes.Log, Timestamp = TimeProvider.System.GetUtcNow(), Message = "a step", Level = "info" }]);
        var prefix = $"{item.AccountId}/{item.JobId}/1";
        await using (var manifest = new MemoryStream(Encoding.UTF8.GetBytes("""{"files":[],"total_bytes":0}""")))
        {
            await _blobs.WriteAsync(_names.ModelsContainer, prefix + "/manifest.json", manifest);
        }

        await _signals.SendAsync(new FineTuneSignal
        {
            AccountId = item.AccountId,
            JobId = item.JobId,
            Kind = FineTuneSignalKind.Succeeded,
            Attempt = item.Attempt,
            LeaseToken = 1,
            Outcome = new TrainingOutcome { ArtifactPrefix = prefix, ArtifactKind = "adapter", Steps = 1, TrainedTokens = 100 },
        });
    }
}
