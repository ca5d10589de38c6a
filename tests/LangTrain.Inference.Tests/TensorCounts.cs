namespace LangTrain.Inference.Tests;

/// <summary>Classes that count live tensors, a number of the whole process: they run while nothing else does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TensorCounts
{
    public const string Name = "Tensor counts";
}
