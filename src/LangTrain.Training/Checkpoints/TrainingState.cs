using System.Text.Json;

namespace LangTrain.Training.Checkpoints;

/// <summary>Everything besides tensors that a run needs to go on exactly where it was: <c>state.json</c> of a checkpoint.</summary>
/// <remarks>
/// It holds no generator state: every random number of a run (data order, dropout) comes from a generator that is seeded anew
/// from (<see cref="Seed"/>, epoch) or (<see cref="Seed"/>, step, micro-step), so the counters are the RNG state. The
/// scheduler is a pure function of <see cref="Step"/>.
/// </remarks>
internal sealed record TrainingState
{
    public const string FileName = "state.json";
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>Optimizer steps made.</summary>
    public int Step { get; init; }

    /// <summary>Whole passes over the data made.</summary>
    public int Epoch { get; init; }

    /// <summary>Optimizer steps made in the current pass; where in the data to go on.</summary>
    public int StepInEpoch { get; init; }

    /// <summary>Updates that the optimizer made; fewer than <see cref="Step"/> if non-finite steps were skipped.</summary>
    public int OptimizerUpdates { get; init; }

    public required long Seed { get; init; }
    public long TrainedTokens { get; init; }
    public long SeenTokens { get; init; }
    public int NonFiniteStepsInRow { get; init; }

    /// <summary>How often the run went back to an earlier checkpoint; each time the learning rate was halved.</summary>
    public int Rollbacks { get; init; }

    public double? FirstLoss { get; init; }
    public double? LastLoss { get; init; }

    /// <summary>Mean of the losses up to now in which older ones count ever less; null in checkpoints of earlier builds.</summary>
    public double? SmoothedLoss { get; init; }

    public double? LastEvaluationLoss { get; init; }
    public double? LastEvaluationAccuracy { get; init; }
    public double? BestEvaluationLoss { get; init; }
    public double? BestEvaluationAccuracy { get; init; }
    public int? BestStep { get; init; }
    public int EvaluationsWithoutImprovement { get; init; }

    /// <summary>Training time of all attempts up to now.</summary>
    public double ElapsedSeconds { get; init; }

    /// <summary>Hash over the options that change the arithmetic; a checkpoint of other options is refused.</summary>
    public required string OptionsHash { get; init; }

    /// <summary>Hash over the tokenized training data; a checkpoint of other data is refused.</summary>
    public required string DataHash { get; init; }

    public void Write(string folder) =>
        File.WriteAllBytes(Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(this, CheckpointJsonContext.Default.TrainingState));

    /// <summary>Reads the state of a checkpoint whose manifest was verified.</summary>
    public static TrainingState FromStored(string folder)
    {
        var state = JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(folder, FileName)), CheckpointJsonContext.Default.TrainingState)
            ?? throw new InvalidDataException($"{FileName} of {Path.GetFileName(folder)} is empty.");
        return state.Version == CurrentVersion
            ? state
            : throw new InvalidDataException($"{FileName} has version {state.Version}; this build reads version {CurrentVersion}.");
    }
}
