using System.Diagnostics;
using LangTrain.Modeling;
using LangTrain.Training;
using LangTrain.Training.Batches;
using LangTrain.Training.Evaluation;
using LangTrain.Training.Recipes;

namespace LangTrain.Benchmarks;

/// <summary>Fine-tunes a base model on a dataset and prints the share of held-out rows that it answers exactly, before and after.</summary>
internal static class DemoCheck
{
    public static int Run(string baseModel, string dataset)
    {
        var options = new TrainingOptions { LearningRate = 2e-3, BatchSize = 8, Epochs = 3, EvaluationSamples = 3, Lora = new LoraOptions { Rank = 16, Alpha = 32 } };
        var (trainingFile, heldOutFile) = (Path.Combine(dataset, "train.jsonl"), Path.Combine(dataset, "held-out.jsonl"));
        TorchSetup.Initialize(threads: 2);
        var work = Directory.CreateTempSubdirectory("demo-check").FullName;
        try
        {
            var files = new TrainingFiles
            {
                BaseModelFolder = baseModel, BaseModelName = "langtrain/tiny-base", TrainingFile = trainingFile, EvaluationFile = heldOutFile,
                CheckpointFolder = Path.Combine(work, "checkpoints"), OutputFolder = Path.Combine(work, "adapter"),
            };
            var observer = new ConsoleObserver(every: 20);
            using var data = TrainingData.Load(options, files, CancellationToken.None);
            using var model = DecoderModel.Load(baseModel);
            var before = ExactMatch(model, AdapterSelection.None, data.Evaluation!);
            var start = Stopwatch.GetTimestamp();
            new LoraRecipe(options, files, observer, new TrainingControl(), TimeProvider.System).Train();
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            using var adapter = LoraAdapter.LoadPeft(files.OutputFolder, model);
            var after = ExactMatch(model, AdapterSelection.All(adapter), data.Evaluation!);
            Console.WriteLine(FormattableString.Invariant($"held-out exact match: {before:p1} before, {after:p1} after {seconds:f0} s of training"));
            return 0;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static double ExactMatch(DecoderModel model, AdapterSelection adapters, ITokenizedExamples examples)
    {
        var questions = Question.Among(examples, examples.Count).ToList();
        var answers = GreedyDecoder.Complete(model, adapters, [.. questions.Select(question => (question.Prompt, question.Answer.Count + 4))], model.Config.EosTokenIds, CancellationToken.None);
        return (double)questions.Zip(answers).Count(pair => pair.First.IsAnsweredBy(pair.Second)) / questions.Count;
    }
}
