namespace LangTrain.Modeling.Tests;

/// <summary>Tests that change how many threads libtorch works with: new threads of other tests would begin with that number, and add up in another order. They run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ThreadCounts
{
    /// <summary>Of the collection.</summary>
    public const string Name = nameof(ThreadCounts);
}
