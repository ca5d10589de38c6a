using System.Globalization;
using LangTrain.Modeling;
using LangTrain.Training;
using LangTrain.Training.Recipes;

namespace LangTrain.Benchmarks;

/// <summary>Trains the tiny base model from nothing, as the one in the repository was trained.</summary>
internal static class TinyBaseModelTraining
{
    public static int Run(string[] args)
    {
        if (args is not ["--out", var output, .. var rest])
        {
            Console.Error.WriteLine("train-tiny-base-model --out <folder> [--documents <n>]");
            return 2;
        }

        var documents = rest is ["--documents", var count] ? int.Parse(count, CultureInfo.InvariantCulture) : TinyBaseModelRecipe.DefaultDocuments;
        TorchSetup.Initialize(threads: 2);
        var work = Path.GetFullPath(output).TrimEnd(Path.DirectorySeparatorChar) + ".training";
        var result = new TinyBaseModelRecipe(work, output, documents, new ConsoleObserver(every: 50), new TrainingControl(), TimeProvider.System).Train();
        Console.WriteLine(FormattableString.Invariant($"{result.TrainedTokens:N0} tokens in {result.Duration.TotalMinutes:f1} minutes, evaluation loss {result.EvaluationLoss:f4}, in {output}"));
        Directory.Delete(work, recursive: true);
        return 0;
    }
}
