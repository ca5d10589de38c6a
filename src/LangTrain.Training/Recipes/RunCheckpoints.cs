using System.Security.Cryptography;
using System.Text.Json;
using LangTrain.Modeling;
using LangTrain.Training.Checkpoints;
using LangTrain.Training.Observation;
using LangTrain.Training.Optimization;
using static TorchSharp.torch;

namespace LangTrain.Training.Recipes;

/// <summary>When a run saves, what it saves, and how it goes on from it.</summary>
internal sealed class RunCheckpoints
{
    private const string OptimizerFile = "optimizer.safetensors";
    private const int MaxRollbacks = 2;
    private readonly CheckpointStore _store;
    private readonly TrainingOptions _options;
    private readonly ITrainingObserver _observer;
    private readonly TimeProvider _time;
    private readonly Action<int>? _fetch;
    private readonly int? _everySteps;
    private readonly bool _passesOverForeign;
    private bool _isResumed;
    private int? _lastWrittenStep;
    private long _lastWrittenAt;

    public RunCheckpoints(TrainingOptions options, TrainingFiles files, TrainingData data, int totalSteps, ITrainingObserver observer, TimeProvider time, Action<string>? beforeOperation = null)
    {
        _store = new CheckpointStore(files.CheckpointFolder, options.KeepCheckpoints, time, beforeOperation, files.IsCheckpointInUse);
        _options = options;
        _observer = observer;
        _time = time;
        _fetch = files.FetchCheckpoint;
        _passesOverForeign = files.PassesOverForeignCheckpoints;
        _lastWrittenAt = time.GetTimestamp();
        Start = new TrainingState { Seed = options.Seed, OptionsHash = HashOf(options), DataHash = data.ContentHash };
        _everySteps = options.SaveSteps ?? (options.Method == TrainingMethod.Full ? null : Math.Max(1, (totalSteps + 9) / 10));
    }

    /// <summary>The state of a run that has done nothing yet.</summary>
    public TrainingState Start { get; }

    /// <summary>Restores the newest good checkpoint; older ones that are kept elsewhere are asked for where none here can be used.</summary>
    /// <param name="trainee">Takes the weights.</param>
    /// <param name="optimizer">Takes the moments.</param>
    /// <param name="isPlace">Whether a state is a place in this run: its step, epoch and step in the epoch.</param>
    /// <returns>Where to go on; the beginning if there is no checkpoint.</returns>
    /// <exception cref="InvalidDataException">Its hashes hold and it cannot be restored, and the run's files do not say that such ones are passed over.</exception>
    /// <exception cref="CheckpointMismatchException">It belongs to other options or data, and the run's files do not say that such ones are passed over.</exception>
    public TrainingState Resume(Trainee trainee, AdamW optimizer, Func<TrainingState, bool> isPlace)
    {
        var oldest = int.MaxValue;
        while (true)
        {
            var damaged = new List<string>();
            var folder = _store.FindNewest(damaged.Add);
            foreach (var bad in damaged)
            {
                PassOver(bad, "is damaged");
            }

            if (damaged.Count > 0)
            {
                continue; // with what was fetched in their place
            }

            if (folder is null)
            {
                return BeginAnew(oldest);
            }

            try
            {
                var state = TrainingState.FromStored(folder);
                if (state.OptionsHash != Start.OptionsHash || state.DataHash != Start.DataHash)
                {
                    var what = state.OptionsHash != Start.OptionsHash ? "options" : "data";
                    throw new CheckpointMismatchException($"Checkpoint {Path.GetFileName(folder)} was made with other {what}; training cannot go on from it.");
                }

                if (state.Step != CheckpointStore.StepOf(folder) || !isPlace(state))
                {
                    throw new InvalidDataException($"Checkpoint {Path.GetFileName(folder)} says that it is of step {state.Step}, epoch {state.Epoch}, step {state.StepInEpoch} in it, which is no place of this run.");
                }

                Restore(folder, state, trainee, optimizer);
                _isResumed = true;
                _store.Prune(); // what the attempt before did not come to, and this one may not write another that would
                _observer.OnLog(TrainingLogLevel.Info, $"Going on from checkpoint {Path.GetFileName(folder)}.");
                return state;
            }
            catch (Exception failure) when (_passesOverForeign && failure is (CheckpointMismatchException or InvalidDataException or IOException or JsonException or UnsupportedModelException))
            {
                PassOver(folder, failure is CheckpointMismatchException ? "was made with other options or data" : "cannot be restored");
            }
        }

        // Deleted, since it would be counted among those that are kept; and the newest before it is asked for, which may be newer than what is left here.
        void PassOver(string folder, string why)
        {
            _observer.OnLog(TrainingLogLevel.Warning, $"Checkpoint {Path.GetFileName(folder)} {why} and is passed over.");
            _store.Delete(folder);
            if (CheckpointStore.StepOf(folder) is var step && step < oldest)
            {
                oldest = step;
                _fetch?.Invoke(step - 1);
            }
        }
    }

    private TrainingState BeginAnew(int passedOver)
    {
        if (passedOver != int.MaxValue)
        {
            _observer.OnLog(TrainingLogLevel.Warning, "No checkpoint is left that training could go on from; it begins anew.");
        }

        return Start;
    }

    /// <summary>Goes back to the newest checkpoint whose weights are known to have given a good step.</summary>
    /// <param name="trainee">Takes the weights.</param>
    /// <param name="optimizer">Takes the moments.</param>
    /// <param name="state">Where the run is.</param>
    /// <param name="badSteps">Bad steps in a row, the one after <paramref name="state"/> included.</param>
    /// <returns>Where to go on.</returns>
    /// <exception cref="TrainingDivergedException">There is none, or the run went back often enough.</exception>
    public TrainingState RollBack(Trainee trainee, AdamW optimizer, TrainingState state, int badSteps)
    {
        // The weights before the first bad step made it bad, so those of the step before are the newest that can be good.
        var newestGood = state.Step - badSteps;
        if (state.Rollbacks >= MaxRollbacks || newestGood < 1)
        {
            throw new TrainingDivergedException(state.Step + 1, badSteps, state.Rollbacks);
        }

        if (_isResumed)
        {
            // The attempt before wrote it; one that was not interrupted would have it here.
            _fetch?.Invoke(newestGood);
        }

        if (_store.GoBackTo(newestGood) is not { } folder)
        {
            throw new TrainingDivergedException(state.Step + 1, badSteps, state.Rollbacks);
        }

        // What counts over all attempts goes on counting.
        var back = TrainingState.FromStored(folder) with { Rollbacks = state.Rollbacks + 1, ElapsedSeconds = state.ElapsedSeconds, NonFiniteStepsInRow = 0 };
        Restore(folder, back, trainee, optimizer);
        _observer.OnLog(TrainingLogLevel.Warning,
            $"Training diverged at step {state.Step - badSteps + 2}. It goes back to checkpoint {Path.GetFileName(folder)} and on with half the learning rate.");
        _observer.OnRolledBack(new RolledBack
        {
            Step = back.Step, Rollbacks = back.Rollbacks, Loss = back.SmoothedLoss, TrainedTokens = back.TrainedTokens,
            EvaluationLoss = back.LastEvaluationLoss, EvaluationAccuracy = back.LastEvaluationAccuracy,
        });
        return back;
    }

    private void Restore(string folder, TrainingState state, Trainee trainee, AdamW optimizer)
    {
        // All of it is looked at before any of it is taken: where it is passed over, nothing of it may stay.
        using var file = SafetensorsFile.Open(Path.Combine(folder, OptimizerFile));
        using var scope = NewDisposeScope();
        var moments = file.Entries.ToDictionary(e => e.Name, e => file.View(e.Name));
        optimizer.RequireFit(moments);
        trainee.Restore(folder);
        optimizer.Restore(moments, state.OptimizerUpdates);
        _lastWrittenStep = state.Step;
        _lastWrittenAt = _time.GetTimestamp();
    }

    /// <summary>True if this state is to be saved: by steps, by time, at a best evaluation, and at the end.</summary>
    /// <remarks>Never amid bad steps: whoever goes on from a checkpoint, or is given it, must find good weights.</remarks>
    public bool IsDue(TrainingState state, bool endsEpoch, bool isLast) =>
        state.NonFiniteStepsInRow == 0
        && (isLast
            || state.BestStep == state.Step
            || (_everySteps is { } every ? state.Step % every == 0 : endsEpoch)
            || _time.GetElapsedTime(_lastWrittenAt) >= _options.SaveInterval);

    /// <summary>Checkpoints by steps up to a step, this one included.</summary>
    /// <param name="step">Optimizer steps made.</param>
    /// <param name="stepsOfEpoch">Of a pass over the data.</param>
    public int CountUpTo(int step, int stepsOfEpoch) => step / (_everySteps ?? stepsOfEpoch);

    /// <summary>
    /// Saves if it can. A disk that is full costs the checkpoint, not the run: the older ones stand, and the next one is tried. Nor is one made of weights that are
    /// not finite: the next step tells whether the run diverged, and then goes back to one of the older ones.
    /// </summary>
    public void TryWrite(Trainee trainee, AdamW optimizer, TrainingState state)
    {
        try
        {
            Write(trainee, optimizer, state);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _lastWrittenAt = _time.GetTimestamp();
            _observer.OnLog(TrainingLogLevel.Warning, $"The checkpoint of step {state.Step} could not be written and training goes on without it. {DiskFailure.Describe(failure)}");
        }
    }

    /// <summary>Saves, tells the observer, and removes what is no longer kept.</summary>
    /// <returns>The folder of the newest checkpoint: of this one, or, of weights that are not finite, of the one before; null if there is none.</returns>
    /// <exception cref="IOException">It cannot be written.</exception>
    public string? Write(Trainee trainee, AdamW optimizer, TrainingState state)
    {
        var folder = _store.FolderOf(state.Step);
        if (_lastWrittenStep == state.Step)
        {
            return folder;
        }

        if (!trainee.IsFinite())
        {
            _observer.OnLog(TrainingLogLevel.Warning, $"The weights after step {state.Step} are not finite: no checkpoint is made of them.");
            return _store.FindNewest();
        }

        var size = _store.Write(state.Step, target =>
        {
            trainee.Save(target);
            SafetensorsWriter.Write(Path.Combine(target, OptimizerFile), [.. optimizer.State()]);
            state.Write(target);
        });
        _lastWrittenStep = state.Step;
        _lastWrittenAt = _time.GetTimestamp();
        _observer.OnCheckpoint(new CheckpointWritten(folder, state.Step, size, state.BestStep == state.Step) { Rollbacks = state.Rollbacks });
        _store.Prune();
        return folder;
    }

    /// <summary>Takes the weights of the best evaluation, where there was one and the options want it.</summary>
    /// <returns>The step whose weights the trainee now has.</returns>
    public int RestoreBest(Trainee trainee, TrainingState state)
    {
        if (!(_options.UseBestCheckpoint || _options.EarlyStopping is not null) || state.BestStep is not { } best || best == state.Step)
        {
            return state.Step;
        }

        var folder = _store.FolderOf(best);
        if (!CheckpointStore.IsIntact(folder))
        {
            _observer.OnLog(TrainingLogLevel.Warning, $"The best checkpoint, step {best}, {(Directory.Exists(folder) ? "is damaged" : "is not there, since it could not be stored")}; the last weights are taken.");
            return state.Step;
        }

        trainee.Restore(folder);
        _observer.OnLog(TrainingLogLevel.Info, FormattableString.Invariant($"The weights of step {best} are taken: evaluation loss {state.BestEvaluationLoss:f4}."));
        return best;
    }

    // How often to save and how many to keep does not change what is computed, so a resumed run may differ in it.
    private static string HashOf(TrainingOptions options)
    {
        var arithmetic = options with { SaveSteps = null, SaveInterval = default, KeepCheckpoints = 1, EvaluationSamples = 0 };
        return Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(arithmetic, CheckpointJsonContext.Default.TrainingOptions)));
    }
}
