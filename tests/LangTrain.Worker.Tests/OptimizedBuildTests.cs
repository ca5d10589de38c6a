using System.Diagnostics;
using System.Reflection;

namespace LangTrain.Worker.Tests;

public class OptimizedBuildTests
{
    /// <summary>People train and serve with what <c>dotnet run</c> builds; unoptimized, the kernels in it take many times as long.</summary>
    [Theory]
    [InlineData("LangTrain.Modeling")]
    [InlineData("LangTrain.Training")]
    [InlineData("LangTrain.Inference")]
    [InlineData("LangTrain.Worker")]
    public void What_computes_is_optimized_in_every_configuration(string assembly) =>
        Assert.False(Assembly.Load(assembly).GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true });
}
