namespace LangTrain.Training.TinyBaseModel;

/// <summary>The numbers of <see cref="TinyPretraining"/>; the defaults made the model that ships.</summary>
public sealed record TinyPretrainingOptions
{
    /// <summary>Seed of corpus and weights. Default 1.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Optimizer steps. Default 4000.</summary>
    public int Steps { get; init; } = 4000;

    /// <summary>Rows that are learned in one step. Default 32.</summary>
    public int RowsPerStep { get; init; } = 32;

    /// <summary>Tokens of a row. Default 256.</summary>
    public int RowLength { get; init; } = 256;

    /// <summary>Peak learning rate, after the warmup. Default 3e-3.</summary>
    public double LearningRate { get; init; } = 3e-3;

    /// <summary>Steps of warmup. Default 100.</summary>
    public int WarmupSteps { get; init; } = 100;

    /// <summary>Decoupled weight decay of matrices. Default 0.1.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>Steps between reports. Default 50.</summary>
    public int LogSteps { get; init; } = 50;
}
