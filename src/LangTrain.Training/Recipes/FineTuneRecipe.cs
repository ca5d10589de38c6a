using LangTrain.Modeling;
using LangTrain.Training.Batches;
using LangTrain.Training.Checkpoints;
using LangTrain.Training.Estimation;
using LangTrain.Training.Evaluation;
using LangTrain.Training.Observation;
using LangTrain.Training.Optimization;
using static TorchSharp.torch;

namespace LangTrain.Training.Recipes;

/// <summary>One fine-tune from files to files: set-up, one flat loop, result. The concrete recipes say what learns.</summary>
/// <remarks>
/// <para>
/// A recipe runs once, on the calling thread, which it keeps until the run ends. Two recipes may run at the same time on two
/// threads of one process: nothing is shared and the process-wide random generator is not used.
/// </para>
/// <para>
/// One step, to follow through the code: <see cref="Train"/>, 2.1, takes the step's rows from its <see cref="BatchPlanner"/>'s plan and makes a
/// <see cref="MicroBatch"/> of them; <see cref="RunObjective.Accumulate"/> hands it to <see cref="Trainee.Accumulate"/>, which runs the model forward
/// (<c>DecoderModel.Track</c>: <c>DerivedPass</c>, or for DoRA and GPT-2 autograd), takes loss and gradient at the trained positions
/// (<see cref="Losses.ChunkedCrossEntropy"/>) and runs the pass backward from there; then <see cref="GradientClip"/> and <see cref="AdamW"/>, 2.2 and 2.3.
/// </para>
/// </remarks>
public abstract class FineTuneRecipe
{
    // Of the loss that is told of the whole job: a single batch's own jumps about.
    private const double LossSmoothing = 0.9;
    // Of a micro-batch's time, where it needs no gradient.
    private const double ForwardShare = 1.0 / 3;
    private TrainingOptions _options;
    private readonly TrainingFiles _files;
    private readonly ITrainingObserver _observer;
    private readonly TrainingControl _control;
    private readonly TimeProvider _time;

    /// <summary>Makes a run; nothing is read yet.</summary>
    /// <param name="options">Every number of the run.</param>
    /// <param name="files">Where it reads and writes.</param>
    /// <param name="observer">Hears of its progress.</param>
    /// <param name="control">Stops it from outside.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ArgumentException">An option does not fit; the message names all that do not.</exception>
    private protected FineTuneRecipe(TrainingOptions options, TrainingFiles files, ITrainingObserver observer, TrainingControl control, TimeProvider time)
    {
        if (options.Validate() is { Count: > 0 } problems)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(options));
        }

        _options = options;
        _files = files;
        _observer = observer;
        _control = control;
        _time = time;
    }

    /// <summary>Called before each change of the checkpoints on disk, with what it is: where tests let the process die.</summary>
    internal Action<string>? BeforeCheckpointOperation { get; init; }

    /// <summary>Tells what the run will take; reads the data and the shapes of the model, and trains nothing.</summary>
    /// <param name="trainingRows">Training rows that there are, if the training file holds only some of them, evenly spread; null if it holds all.</param>
    /// <param name="evaluationRows">Evaluation rows that there are, if no file of the run holds them.</param>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="Data.TrainingDataException">A row cannot be used.</exception>
    public TrainingEstimate Estimate(long? trainingRows = null, long? evaluationRows = null)
    {
        using var scope = NewDisposeScope();
        TakeShapeOfInitialAdapter();
        using var data = LoadData(_options, _files, _control.Cancellation);
        return EstimateCalculator.Calculate(_options, _files, data, trainingRows, evaluationRows);
    }

    /// <summary>Trains, going on from the newest good checkpoint if there is one.</summary>
    /// <returns>What was made, or that the run was paused.</returns>
    /// <exception cref="OperationCanceledException">The run was cancelled; its checkpoints stay.</exception>
    /// <exception cref="TrainingDivergedException">Too many steps in a row were bad, and going back to an earlier checkpoint did not help.</exception>
    /// <exception cref="IOException">The result, or the checkpoint of a pause, cannot be written.</exception>
    /// <exception cref="CheckpointMismatchException">The newest checkpoint was made with other options or data.</exception>
    /// <exception cref="VerificationFailedException">What was written does not hold.</exception>
    public TrainingResult Train()
    {
        using var runScope = NewDisposeScope();

        // 1. Set-up, each line needing only those above it.
        TakeShapeOfInitialAdapter();
        using var data = LoadData(_options, _files, _control.Cancellation);
        data.Tell(_observer, _options.LongRows);
        _observer.OnLog(TrainingLogLevel.Info, $"Loading the weights of {_files.BaseModelName}.");
        using var trainee = CreateTrainee(_options, _files);
        using var threads = new StepThreads(trainee.Model.ParameterCount, data.TokensOfMicroBatch(_options), trainee.Model.Device);
        trainee.ActivationCheckpointing = _options.ActivationCheckpointing;
        using var optimizer = new AdamW(trainee.Parameters, new(_options.AdamBeta1, _options.AdamBeta2, _options.AdamEpsilon, _options.WeightDecay));
        var planner = data.Planner(_options);
        var totalSteps = planner.CountSteps(_options.Epochs, _options.MaxSteps ?? int.MaxValue);
        var warmupSteps = _options.WarmupSteps ?? (int)Math.Ceiling(_options.WarmupRatio * totalSteps);
        var schedule = new LearningRateSchedule(_options.LearningRateDecay, _options.LearningRate, warmupSteps, totalSteps);
        var checkpoints = new RunCheckpoints(_options, _files, data, totalSteps, _observer, _time, BeforeCheckpointOperation);
        var startedAt = _time.GetTimestamp();
        if (RunObjective.Create(_options, trainee, data, _control) is not { } objective)
        {
            // Whoever goes on measures the preferences again.
            return Result(TrainingOutcome.Paused, checkpoints.Start, totalSteps, new TrainingProgress(_time, startedAt, 0));
        }

        var state = checkpoints.Resume(trainee, optimizer, place => planner.IsPlace(place.Epoch, place.StepInEpoch) && place.Step <= totalSteps && place.OptimizerUpdates >= 0);
        var divergence = new DivergenceWatch(_options.NonFiniteStepLimit, objective.GuessingLoss(trainee.Model.Config.VocabularySize), state.NonFiniteStepsInRow);
        var evaluator = new Evaluator(trainee, objective, data, _options, _observer, _control.Cancellation);
        var progress = new TrainingProgress(_time, startedAt, state.ElapsedSeconds, ResultVerifier.ExpectedSeconds(trainee, data, _time, _control.Cancellation));
        using var dropout = new Generator((ulong)_options.Seed, trainee.Model.Device);
        _observer.OnLog(TrainingLogLevel.Info, FormattableString.Invariant(
            $"Training {trainee.Parameters.Sum(p => p.Value.numel()):N0} parameters on {data.Training.Count:N0} examples, {totalSteps} steps, from step {state.Step}."));

        // 2. The loop: a step a turn. An epoch is planned anew from its number, so a resumed run goes on in the middle of one.
        var (plan, plannedEpoch) = (planner.PlanEpoch(state.Epoch), state.Epoch);
        while (state.Step < totalSteps && !evaluator.ShouldStop(state))
        {
            using var stepScope = NewDisposeScope();
            progress.RestartStep();
            if (plannedEpoch != state.Epoch)
            {
                (plan, plannedEpoch) = (planner.PlanEpoch(state.Epoch), state.Epoch);
            }

            // 2.1 Gradients: every term of the step's loss (a trained token, or a pair) counts the same, in whichever micro-batch it is.
            var microBatches = plan[state.StepInEpoch].MicroBatches;
            var terms = objective.Terms(microBatches.SelectMany(rows => rows), data.Training);
            var sums = zeros([3], ScalarType.Float64, trainee.Model.Device); // loss, reward margin, pairs ranked rightly
            var (seenTokens, trainedTokens) = (0, 0);
            for (var micro = 0; micro < microBatches.Length; micro++)
            {
                _control.Cancellation.ThrowIfCancellationRequested();
                if (_control.IsPauseRequested)
                {
                    // The gradients of a half-made step are dropped; the resumed run makes that step again.
                    return Paused(checkpoints, trainee, optimizer, state with { ElapsedSeconds = progress.ElapsedSeconds }, totalSteps, progress);
                }

                using var microScope = NewDisposeScope();
                var batch = MicroBatch.Build(microBatches[micro], data.Training, trainee.Model.Device);
                dropout.manual_seed(SeededRandom.Mix(_options.Seed, RandomPurpose.Dropout, state.Step, micro));
                sums.AddInPlace(objective.Accumulate(trainee, microBatches[micro], batch, 1.0 / terms, dropout));
                (seenTokens, trainedTokens) = (seenTokens + batch.Tokens, trainedTokens + batch.TrainedTokens);
            }

            // 2.2 The step's one wait for the device: what is reported, by which the update is decided too.
            var measured = cat([sums.div_(Scalars.Of(terms)), GradientClip.Norm(trainee.Parameters).to_type(ScalarType.Float64).view(1)]).cpu().data<double>();
            var (loss, rewardMargin, rewardAccuracy, norm) = (measured[0], measured[1], measured[2], measured[3]);
            var learningRate = schedule.At(state.Step) * Math.Pow(0.5, state.Rollbacks);

            // 2.3 Update, or skip the step, or go back to weights that were good.
            var isLast = state.Step + 1 == totalSteps;
            var verdict = divergence.Judge(loss, norm, state.FirstLoss, isLast);
            if (verdict == StepVerdict.Update)
            {
                GradientClip.Clip(trainee.Parameters, norm, _options.MaxGradientNorm);
                optimizer.Step(learningRate);
            }

            optimizer.ClearGradients();
            if (verdict == StepVerdict.GiveUp)
            {
                state = checkpoints.RollBack(trainee, optimizer, state with { ElapsedSeconds = progress.ElapsedSeconds }, divergence.InRow);
                divergence.Reset();
                continue;
            }

            // 2.4 Count.
            var (epoch, stepInEpoch) = (state.Epoch, state.StepInEpoch + 1);
            var endsEpoch = stepInEpoch == plan.Count;
            progress.StepDone(seenTokens);
            state = state with
            {
                Step = state.Step + 1,
                Epoch = endsEpoch ? epoch + 1 : epoch,
                StepInEpoch = endsEpoch ? 0 : stepInEpoch,
                OptimizerUpdates = optimizer.Updates,
                TrainedTokens = state.TrainedTokens + trainedTokens,
                SeenTokens = state.SeenTokens + seenTokens,
                NonFiniteStepsInRow = divergence.InRow,
                FirstLoss = state.FirstLoss ?? (verdict == StepVerdict.Update ? loss : null),
                LastLoss = verdict == StepVerdict.Update ? loss : state.LastLoss,
                SmoothedLoss = verdict == StepVerdict.Update ? LossSmoothing * (state.SmoothedLoss ?? loss) + (1 - LossSmoothing) * loss : state.SmoothedLoss,
                ElapsedSeconds = progress.ElapsedSeconds,
            };
            var epochsDone = epoch + (double)stepInEpoch / plan.Count;

            // 2.5 Report.
            if (verdict == StepVerdict.Update)
            {
                var measuredStep = new TrainingMetrics
                {
                    Epoch = epochsDone, Step = state.Step, TotalSteps = totalSteps, Loss = loss, SmoothedLoss = state.SmoothedLoss ?? loss, LearningRate = learningRate, Rollbacks = state.Rollbacks,
                    GradientNorm = norm, TrainedTokens = state.TrainedTokens, TokensPerSecond = 0, EtaSeconds = 0, MemoryBytes = 0,
                    RewardMargin = _options.Objective == TrainingObjective.Dpo ? rewardMargin : null,
                    RewardAccuracy = _options.Objective == TrainingObjective.Dpo ? rewardAccuracy : null,
                };
                _observer.OnMetrics(progress.Complete(
                    measuredStep,
                    evaluator.CountUpTo(totalSteps, totalSteps, plan.Count) - evaluator.CountUpTo(state.Step - 1, totalSteps, plan.Count),
                    data.EvaluationPlan.Count * ForwardShare / microBatches.Length,
                    checkpoints.CountUpTo(totalSteps, plan.Count) - checkpoints.CountUpTo(state.Step - 1, plan.Count)));
            }
            else
            {
                _observer.OnLog(TrainingLogLevel.Warning, FormattableString.Invariant(
                    $"Step {state.Step} was skipped: its loss ({loss:g4}) or gradient norm ({norm:g4}) is not finite or far too large ({divergence.InRow} in a row)."));
            }

            // 2.6 Evaluate, then save, so that a checkpoint knows its evaluation.
            if (evaluator.IsDue(state.Step, endsEpoch, isLast))
            {
                state = evaluator.Run(state, epochsDone);
                progress.EvaluationDone();
            }

            if (checkpoints.IsDue(state, endsEpoch, isLast || evaluator.ShouldStop(state)))
            {
                checkpoints.TryWrite(trainee, optimizer, state);
                progress.CheckpointDone();
            }
        }

        if (state.OptimizerUpdates == 0)
        {
            throw new TrainingDivergedException(state.Step, state.NonFiniteStepsInRow, state.Rollbacks);
        }

        // Reading the result back takes the weights once more; what only training needed makes room for them.
        optimizer.Dispose();
        TorchSetup.ReleaseMemory();

        // 3. The result: the weights of the best evaluation, or the last ones without any; written, then read back.
        var writtenStep = checkpoints.RestoreBest(trainee, state);
        if (!trainee.IsFinite())
        {
            throw TrainingDivergedException.OfWeights(writtenStep, state.Rollbacks);
        }

        _observer.OnLog(TrainingLogLevel.Info, "Writing the result, reading it back and asking it some of its prompts.");
        SafetensorsWriter.RemoveUnfinished(_files.OutputFolder); // of an attempt that died here
        trainee.Save(_files.OutputFolder);
        if (_options.Method == TrainingMethod.Full)
        {
            TrainingData.CopyModelFiles(_files);
        }

        var verification = ResultVerifier.Verify(trainee, data, _files.OutputFolder, _control.Cancellation);
        _observer.OnLog(TrainingLogLevel.Info, FormattableString.Invariant(
            $"Written and read back: {verification.Tensors} tensors, logits differ by {verification.MaxLogitDifference:g3}, {verification.PromptsEnded} of {verification.PromptsTried} answers end by themselves."));
        return Result(TrainingOutcome.Completed, state, totalSteps, progress) with
        {
            TrainableParameters = trainee.Parameters.Sum(p => p.Value.numel()),
            WrittenStep = writtenStep,
            EvaluationLoss = writtenStep == state.Step ? state.LastEvaluationLoss : state.BestEvaluationLoss,
            EvaluationAccuracy = writtenStep == state.Step ? state.LastEvaluationAccuracy : state.BestEvaluationAccuracy,
            OutputFolder = _files.OutputFolder,
            Verification = verification,
        };
    }

    private void TakeShapeOfInitialAdapter()
    {
        if (_files.InitialAdapterFolder is { } folder)
        {
            _options = _options with { Lora = LoraAdapter.ReadPeftOptions(folder, ModelConfig.Read(_files.BaseModelFolder)) with { Dropout = _options.Lora.Dropout } };
        }
    }

    /// <summary>Reads and tokenizes the rows.</summary>
    private protected virtual TrainingData LoadData(TrainingOptions options, TrainingFiles files, CancellationToken cancellation) =>
        TrainingData.Load(options, files, cancellation);

    /// <summary>Loads the model, marks what learns, and freezes the rest.</summary>
    private protected abstract Trainee CreateTrainee(TrainingOptions options, TrainingFiles files);

    private static TrainingResult Paused(RunCheckpoints checkpoints, Trainee trainee, AdamW optimizer, TrainingState state, int totalSteps, TrainingProgress progress) =>
        Result(TrainingOutcome.Paused, state, totalSteps, progress) with { CheckpointFolder = checkpoints.Write(trainee, optimizer, state) };

    private static TrainingResult Result(TrainingOutcome outcome, TrainingState state, int totalSteps, TrainingProgress progress) => new()
    {
        Outcome = outcome,
        Steps = state.Step,
        TotalSteps = totalSteps,
        TrainedTokens = state.TrainedTokens,
        FinalLoss = state.LastLoss,
        SmoothedLoss = state.SmoothedLoss,
        EvaluationLoss = state.LastEvaluationLoss,
        Duration = TimeSpan.FromSeconds(progress.ElapsedSeconds),
        PeakMemoryBytes = progress.PeakMemoryBytes,
    };
}
