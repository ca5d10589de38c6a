using System.Globalization;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Models;
using LangTrain.Core.Storage;
using LangTrain.Training.Checkpoints;
using LangTrain.Training.Observation;
using LangTrain.Worker.Models;

namespace LangTrain.Worker.FineTunes;

/// <summary>Copies an attempt's checkpoints to blobs beside the training, and fetches the newest good one when an attempt begins.</summary>
/// <remarks>
/// A checkpoint is made known (and usable for the next attempt) only after all events up to it are stored, see <see cref="JobEventReporter"/>.
/// When checkpoints come faster than they can be stored, the ones in between are left out, except the best. Thread-safe.
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
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Task _uploading;
    private CheckpointWritten? _newest, _newestBest, _storingNewest, _storingBest;
    private int? _rolledBackTo;
    private bool _completed, _hasStored;

    /// <summary>Begins to wait for checkpoints.</summary>
    public CheckpointUploader(BlobFolder folders, string container, FineTuneRef job, JobEventReporter reporter, JobLease lease, CheckpointModels models, ILogger logger)
    {
        (_folders, _container, _job, _reporter, _lease, _models, _logger) = (folders, container, job, reporter, lease, models, logger);
        _uploading = Task.Run(UploadAsync);
    }

    /// <summary>Folder of the tokenizer and the like that a checkpoint needs to be a model; null where it needs none of its own.</summary>
    public string? CompanionFolder { get; set; }

    /// <summary>Hands over a checkpoint that is complete on disk; returns at once.</summary>
    public void Offer(CheckpointWritten checkpoint)
    {
        lock (_gate)
        {
            _newest = checkpoint;
            if (checkpoint.IsBest)
            {
                // Kept apart, so that a newer one does not take its place before it is stored: the result may be made of it.
                _newestBest = checkpoint;
            }
        }

        _wake.Release();
    }

    /// <summary>Whether the checkpoint of a step is still to be stored, and so must stay on disk.</summary>
    public bool IsWanted(int step)
    {
        lock (_gate)
        {
            return _newest?.Step == step || _newestBest?.Step == step || _storingNewest?.Step == step || _storingBest?.Step == step;
        }
    }

    /// <summary>Removes what is stored of later steps: the run went back to this one and makes them anew. Returns at once.</summary>
    public void GoBackTo(int step)
    {
        lock (_gate)
        {
            (_newest, _newestBest, _rolledBackTo) = (null, null, step);
        }

        _wake.Release();
    }

    /// <summary>Waits until the newest checkpoint offered is stored; no more can be offered.</summary>
    public Task CompleteAsync(CancellationToken cancellation)
    {
        End();
        return _uploading.WaitAsync(cancellation);
    }

    /// <summary>Fetches the newest complete checkpoint of the job into a local folder of checkpoints, if there is one, and with it the best that it knows.</summary>
    /// <param name="localFolder">Gets both; one that is there is left as it is.</param>
    /// <param name="atMost">Most steps.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The newest one's step, or null.</returns>
    public async Task<int?> FetchNewestAsync(string localFolder, int atMost, CancellationToken cancellation)
    {
        foreach (var step in (await StoredStepsAsync(cancellation)).Where(s => s <= atMost))
        {
            if (!await FetchAsync(step, localFolder, cancellation))
            {
                continue;
            }

            if (CheckpointFacts.BestStepOf(Path.Combine(localFolder, Name(step))) is { } best && best != step)
            {
                await FetchAsync(best, localFolder, cancellation);
            }

            return step;
        }

        return null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        End();
        await _uploading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _wake.Dispose();
    }

    private void End()
    {
        lock (_gate)
        {
            _completed = true;
        }

        _wake.Release();
    }

    /// <summary>False where it is not there, or not what its manifests say: two workers, of which one was thought lost, can have stored one step at the same time.</summary>
    private async Task<bool> FetchAsync(int step, string localFolder, CancellationToken cancellation)
    {
        var local = Path.Combine(localFolder, Name(step));
        try
        {
            if (!await _folders.TryDownloadAsync(_container, Prefix + Name(step), local, cancellation))
            {
                return false;
            }

            if (CheckpointFacts.IsIntact(local))
            {
                return true;
            }

            // Stored as it was, and it was damaged on the disk by then.
            Directory.Delete(local, recursive: true);
            throw new InvalidDataException("It does not hold what its own manifest says.");
        }
        catch (InvalidDataException damaged)
        {
            _logger.CheckpointDamaged(damaged, step, _job.JobId);
            _reporter.Log("warning", string.Create(CultureInfo.InvariantCulture, $"The stored checkpoint of step {step} is damaged and passed over."));
            return false;
        }
    }

    private string Prefix => $"{_job.AccountId}/{_job.JobId}/";

    private static string Name(int step) => string.Create(CultureInfo.InvariantCulture, $"step-{step}");

    /// <summary>Steps of complete checkpoints, newest first.</summary>
    private async Task<IReadOnlyList<int>> StoredStepsAsync(CancellationToken cancellation)
    {
        var steps = new List<int>();
        await foreach (var folder in _folders.ListCompleteAsync(_container, Prefix, cancellation))
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
        while (true)
        {
            await _wake.WaitAsync();
            CheckpointWritten? best, newest;
            int? rolledBackTo;
            bool completed;
            lock (_gate)
            {
                (best, newest, rolledBackTo, completed) = (_newestBest == _newest ? null : _newestBest, _newest, _rolledBackTo, _completed);
                (_newest, _newestBest, _rolledBackTo) = (null, null, null);
                (_storingNewest, _storingBest) = (newest, best);
            }

            await DeleteAboveAsync(rolledBackTo);
            await StoreAsync(best);
            await StoreAsync(newest);
            lock (_gate)
            {
                (_storingNewest, _storingBest) = (null, null);
            }

            if (completed)
            {
                return;
            }
        }
    }

    private async Task StoreAsync(CheckpointWritten? checkpoint)
    {
        if (checkpoint is null)
        {
            return;
        }

        try
        {
            await _reporter.FlushAsync(_lease.Lost);
            if (!await _lease.ConfirmAsync(_lease.Lost))
            {
                return;
            }

            // What is stored of later steps, this attempt could not go on from.
            await DeleteAboveAsync(_hasStored ? null : checkpoint.Step);
            ModelCompanions.Copy(CompanionFolder, checkpoint.Folder);
            await _folders.UploadAsync(_container, Prefix + Name(checkpoint.Step), checkpoint.Folder, cancellation: _lease.Lost);
            _hasStored = true;
            // Before anybody hears of the checkpoint, so that its model's id leads somewhere.
            await _models.PointAsync(_lease.Job, _lease.Lost);
            _reporter.Data(JobEventTypes.Checkpoint, TrainingProgressObserver.Key("checkpoint", checkpoint.Step, checkpoint.Rollbacks), TrainingProgressObserver.Json(writer =>
            {
                writer.WriteNumber("step", checkpoint.Step);
                writer.WriteString("model", CheckpointModels.IdOf(_lease.Job, checkpoint.Step));
                writer.WriteNumber("size_bytes", checkpoint.SizeBytes);
                writer.WriteBoolean("best", checkpoint.IsBest);
            }));
            await PruneAsync();
        }
        catch (Exception failure) when (!_lease.Lost.IsCancellationRequested)
        {
            // An older checkpoint stands; a lost attempt costs some steps more.
            _logger.CheckpointFailed(failure, checkpoint.Step, _job.JobId);
            _reporter.Log("warning", string.Create(CultureInfo.InvariantCulture, $"The checkpoint of step {checkpoint.Step} could not be stored; training goes on, and the next one is tried."));
        }
        catch (Exception) when (_lease.Lost.IsCancellationRequested)
        {
            // Nothing more is said.
        }
    }

    /// <summary>Removes checkpoints of steps that do not hold any more, the newest first.</summary>
    private async Task DeleteAboveAsync(int? step)
    {
        if (step is null || !await _lease.ConfirmAsync(_lease.Lost))
        {
            return;
        }

        try
        {
            foreach (var later in (await StoredStepsAsync(_lease.Lost)).Where(s => s > step))
            {
                await _folders.DeleteAsync(_container, Prefix + Name(later), _lease.Lost);
            }
        }
        catch (Exception failure) when (!_lease.Lost.IsCancellationRequested)
        {
            // They are overwritten when the run comes there again; until then an attempt that dies would go on from one of them and diverge as before.
            _logger.CheckpointFailed(failure, step.Value, _job.JobId);
        }
    }

    /// <summary>Keeps the newest two, and what each of them knows as the best.</summary>
    private async Task PruneAsync()
    {
        var steps = await StoredStepsAsync(_lease.Lost);
        var best = new HashSet<int?>();
        foreach (var step in steps.Take(2))
        {
            await using var state = await _folders.OpenFileAsync(_container, Prefix + Name(step), CheckpointFacts.StateFile, _lease.Lost);
            best.Add(state is null ? null : await CheckpointFacts.BestStepOfAsync(state, _lease.Lost));
        }

        foreach (var step in steps.Skip(2).Where(s => !best.Contains(s)))
        {
            await _folders.DeleteAsync(_container, Prefix + Name(step), _lease.Lost);
        }
    }
}
