using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Storage;
using LangTrain.Modeling;
using LangTrain.Training;
using LangTrain.Training.Observation;
using LangTrain.Training.Data;
using LangTrain.Training.Optimization;
using LangTrain.Training.Recipes;
using LangTrain.Worker.Models;

namespace LangTrain.Worker.FineTunes;

/// <summary>The step from the service's island to the learning island: a job's row becomes options and files, and a recipe runs.</summary>
internal sealed class TrainFineTune(IBlobStore blobs, ModelFiles models, WorkerOptions options, TimeProvider time)
{
    /// <summary>Fetches what the job needs and trains, going on from the newest stored checkpoint. Computes on the calling thread.</summary>
    /// <param name="lease">The job, and when to stop.</param>
    /// <param name="reporter">Takes log lines.</param>
    /// <param name="checkpoints">Takes checkpoints.</param>
    /// <param name="scratch">Folder of this attempt, empty.</param>
    /// <exception cref="OperationCanceledException">The owner cancelled, or the lease was lost.</exception>
    public async Task<TrainingResult> ExecuteAsync(JobLease lease, JobEventReporter reporter, CheckpointUploader checkpoints, string scratch)
    {
        var job = lease.Job;
        using var cancel = new CancellationTokenSource();
        var control = new TrainingControl(cancel.Token);
        await using var stop = lease.Stopping.Register(() =>
        {
            if (lease.Reason is StopReason.Cancelled or StopReason.LeaseLost)
            {
                cancel.Cancel();
            }
            else
            {
                control.RequestPause();
            }
        });

        // 1. Files: base model, rows, and where an earlier attempt got to.
        var prepared = job.Prepared ?? throw new InvalidOperationException("A job is queued with its data prepared.");
        var checkpointFolder = Path.Combine(scratch, "checkpoints");
        var files = new TrainingFiles
        {
            BaseModelFolder = await models.GetFolderAsync(job.BaseModel, cancel.Token),
            BaseModelName = job.BaseModelId,
            InitialAdapterFolder = job.StartAdapter is { } start ? await models.GetFolderAsync(start, cancel.Token) : null,
            TrainingFile = await FetchRowsAsync(prepared.BlobName, Path.Combine(scratch, "train.jsonl"), cancel.Token),
            EvaluationFile = prepared.ValidationBlobName is { } validation
                ? await FetchRowsAsync(validation, Path.Combine(scratch, "validation.jsonl"), cancel.Token)
                : null,
            CheckpointFolder = checkpointFolder,
            // On the training's thread, which waits for nothing else.
            FetchCheckpoint = step => checkpoints.FetchNewestAsync(checkpointFolder, step, cancel.Token).GetAwaiter().GetResult(),
            IsCheckpointInUse = checkpoints.IsWanted,
            // The folder is this attempt's own: what is stored of another configuration is of no use to anybody.
            PassesOverForeignCheckpoints = true,
            OutputFolder = Path.Combine(scratch, "output"),
        };
        if (job.Config.Method == "full")
        {
            // So that a checkpoint of full weights is a model by itself.
            checkpoints.CompanionFolder = files.BaseModelFolder;
        }

        // The recipe tells from which one it goes on: it may have to pass one over.
        await checkpoints.FetchNewestAsync(checkpointFolder, int.MaxValue, cancel.Token);

        // 2. The recipe.
        var observer = new TrainingProgressObserver(reporter, lease, checkpoints);
        var trainingOptions = Options(job.Config);
        var recipe = Recipe(trainingOptions, files, observer, control, time);
        observer.OnEstimate(EstimateTraining.ToAnswer(recipe.Estimate()));
        try
        {
            return recipe.Train();
        }
        finally
        {
            // The next job, or serving beside it, has other sizes.
            TorchSetup.ReleaseMemory();
        }
    }

    /// <summary>The recipe of a method.</summary>
    internal static FineTuneRecipe Recipe(TrainingOptions options, TrainingFiles files, ITrainingObserver observer, TrainingControl control, TimeProvider time) =>
        options.Method == TrainingMethod.Full
            ? new FullRecipe(options, files, observer, control, time)
            : new LoraRecipe(options, files, observer, control, time);

    private async Task<string> FetchRowsAsync(string blobName, string path, CancellationToken cancellation)
    {
        await using var rows = await blobs.OpenReadAsync(options.Names.DatasetsContainer, blobName, cancellation: cancellation)
            ?? throw new FileNotFoundException("The job's prepared rows are not in storage.", blobName);
        await using var file = File.Create(path);
        await rows.CopyToAsync(file, cancellation);
        return path;
    }

    /// <summary>The service's configuration in the learning island's words.</summary>
    internal static TrainingOptions Options(FineTuneConfig config)
    {
        var training = config.TrainingConfig;
        return new TrainingOptions
        {
            Method = config.Method switch
            {
                "lora" => TrainingMethod.Lora,
                "qlora" => TrainingMethod.QLora,
                "full" => TrainingMethod.Full,
                _ => throw new InvalidOperationException($"No recipe for method '{config.Method}'."),
            },
            Objective = config.Objective switch
            {
                "sft" => TrainingObjective.Sft,
                "text" => TrainingObjective.Text,
                "dpo" => TrainingObjective.Dpo,
                _ => throw new InvalidOperationException($"No recipe for objective '{config.Objective}'."),
            },
            Beta = config.Objective == "dpo" ? config.Beta : null,
            LossOn = training.LossOn switch
            {
                "completion" => LossOn.Completion,
                "all" => LossOn.All,
                _ => throw new InvalidOperationException($"No loss on '{training.LossOn}'."),
            },
            Lora = new LoraOptions
            {
                Rank = config.LoraConfig.R,
                Alpha = config.LoraConfig.Alpha,
                Dropout = config.LoraConfig.Dropout,
                TargetModules = config.LoraConfig.TargetModules,
                UseRslora = config.LoraConfig.UseRslora,
                UseDora = config.LoraConfig.UseDora,
            },
            Epochs = training.Epochs,
            MaxSteps = training.MaxSteps,
            BatchSize = training.BatchSize,
            GradientAccumulationSteps = training.GradientAccumulationSteps,
            LearningRate = training.LearningRate,
            LearningRateDecay = training.LrScheduler switch
            {
                "cosine" => LearningRateDecay.Cosine,
                "linear" => LearningRateDecay.Linear,
                "constant" => LearningRateDecay.Constant,
                _ => throw new InvalidOperationException($"No schedule '{training.LrScheduler}'."),
            },
            WarmupRatio = training.WarmupRatio,
            WarmupSteps = training.WarmupSteps,
            WeightDecay = training.WeightDecay,
            MaxGradientNorm = training.MaxGradNorm,
            MaxSequenceLength = training.MaxSeqLength ?? 2048,
            LongRows = training.OverlongRows switch
            {
                "truncate" => LongRowPolicy.Truncate,
                "drop" => LongRowPolicy.Drop,
                "error" => LongRowPolicy.Error,
                _ => throw new InvalidOperationException($"No policy '{training.OverlongRows}'."),
            },
            Packing = training.Packing,
            ActivationCheckpointing = training.ActivationCheckpointing,
            ComputeDtype = training.ComputeDtype switch
            {
                "auto" => ComputeDtype.Auto,
                "float32" => ComputeDtype.Float32,
                "bfloat16" => ComputeDtype.BFloat16,
                _ => throw new InvalidOperationException($"No arithmetic '{training.ComputeDtype}'."),
            },
            Seed = training.Seed,
            EvaluationSteps = training.EvalSteps,
            SaveSteps = training.SaveSteps,
            UseBestCheckpoint = training.UseBestCheckpoint,
            EarlyStopping = training.EarlyStopping is { } early ? new EarlyStoppingOptions { Patience = early.Patience, MinDelta = early.MinDelta } : null,
        };
    }
}
