using System.Globalization;
using System.Threading.Channels;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Models;
using LangTrain.Core.Storage;
using LangTrain.Training.Observation;
using LangTrain.Worker.Models;

namespace LangTrain.Worker.FineTunes;

/// <summary>Copies an attempt's checkpoints to blobs beside the training, and fetches the newest good one when an attempt begins.</summary>
/// <remarks>
/// A checkpoint is made known (and usable for the next attempt) only after all events up to it are stored, see <see cref="JobEventReporter"/>.
/// When checkpoints come faster than they can be stored, the ones in between are left out. Thread-safe.
/// </remarks>
internal sealed class CheckpointUploader : IAsyncDisposable
{
    private readonly BlobFolder _folders;
    private readonly string _container;
    private readonly FineTuneRef _job;
    private readonly JobEventReporter _reporter;
    private readonly JobLease _lease;
    private readonly CheckpointModels _models;
    private readonly ILogger _logger;
    private readonly Channel<CheckpointWritten> _newest = Channel.CreateBounded<CheckpointWritten>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly Task _uploading;
    private int? _best;

    /// <summary>Begins to wait for checkpoints.</summary>
    public CheckpointUploader(BlobFolder folders, string container, FineTuneRef job, JobEventReporter reporter, JobLease lease, CheckpointModels models, ILogger logger)
    {
        (_folders, _container, _job, _reporter, _lease, _models, _logger) = (folders, container, job, reporter, lease, models, logger);
        _uploading = Task.Run(UploadAsync);
    }

    /// <summary>Folder of the tokenizer and the like that a checkpoint needs to be a model; null where it needs none of its own.</summary>
    public string? CompanionFolder { get; set; }

    /// <summary>Hands over a checkpoint that is complete on disk; returns at once.</summary>
    public void Offer(CheckpointWritten checkpoint) => _newest.Writer.TryWrite(checkpoint);

    /// <summary>Waits until the newest checkpoint offered is stored; no more can be offered.</summary>
    public Task CompleteAsync(CancellationToken cancellation)
    {
        _newest.Writer.TryComplete();
        return _uploading.WaitAsync(cancellation);
    }

    /// <summary>Fetches the newest complete checkpoint of a job into a local folder of checkpoints, if there is one.</summary>
    /// <returns>Its step, or null.</returns>
    public static async Task<int?> FetchNewestAsync(
        BlobFolder folders, string container, FineTuneRef job, string localFolder, CancellationToken cancellation)
    {
        foreach (var step in await StoredStepsAsync(folders, container, job, cancellation))
        {
            var name = Name(step);
            if (await folders.TryDownloadAsync(container, Prefix(job) + name, Path.Combine(localFolder, name), cancellation))
            {
                return step;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _newest.Writer.TryComplete();
        await _uploading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static string Prefix(FineTuneRef job) => $"{job.AccountId}/{job.JobId}/";

    private static string Name(int step) => string.Create(CultureInfo.InvariantCulture, $"step-{step}");

    /// <summary>Steps of complete checkpoints, newest first.</summary>
    private static async Task<IReadOnlyList<int>> StoredStepsAsync(BlobFolder folders, string container, FineTuneRef job, CancellationToken cancellation)
    {
        var steps = new List<int>();
        await foreach (var folder in folders.ListCompleteAsync(container, Prefix(job), cancellation))
        {
            if (folder.StartsWith("step-", StringComparison.Ordinal)
                && int.TryParse(folder.AsSpan("step-".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step))
            {
                steps.Add(step);
            }
        }

        steps.Sort((a, b) => b.CompareTo(a));
        return steps;
    }

    private async Task UploadAsync()
    {
        await foreach (var checkpoint in _newest.Reader.ReadAllAsync())
        {
            try
            {
                await _reporter.FlushAsync(CancellationToken.None);
                if (_lease.Reason == StopReason.LeaseLost)
                {
                    return;
                }

                ModelCompanions.Copy(CompanionFolder, checkpoint.Folder);
                await _folders.UploadAsync(_container, Prefix(_job) + Name(checkpoint.Step), checkpoint.Folder, cancellation: CancellationToken.None);
                // Before anybody hears of the checkpoint, so that its model's id leads somewhere.
                await _models.PointAsync(_lease.Job, CancellationToken.None);
                _reporter.Data(JobEventTypes.Checkpoint, TrainingProgressObserver.Key("checkpoint", checkpoint.Step), TrainingProgressObserver.Json(writer =>
                {
                    writer.WriteNumber("step", checkpoint.Step);
                    writer.WriteString("model", CheckpointModels.IdOf(_lease.Job, checkpoint.Step));
                    writer.WriteNumber("size_bytes", checkpoint.SizeBytes);
                    writer.WriteBoolean("best", checkpoint.IsBest);
                }));
                await PruneAsync(checkpoint);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                // An older checkpoint stands; a lost attempt costs some steps more.
                _logger.CheckpointFailed(failure, checkpoint.Step, _job.JobId);
            }
        }
    }

    /// <summary>Keeps the newest two and the best one.</summary>
    private async Task PruneAsync(CheckpointWritten newest)
    {
        if (newest.IsBest)
        {
            _best = newest.Step;
        }

        foreach (var step in (await StoredStepsAsync(_folders, _container, _job, CancellationToken.None)).Skip(2))
        {
            if (step != _best)
            {
                await _folders.DeleteAsync(_container, Prefix(_job) + Name(step), CancellationToken.None);
            }
        }
    }
}
