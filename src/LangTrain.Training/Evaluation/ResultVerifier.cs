using LangTrain.Modeling;
using LangTrain.Training.Batches;
using LangTrain.Training.Recipes;
using static TorchSharp.torch;

namespace LangTrain.Training.Evaluation;

/// <summary>Reads a run's result back from its files and compares it with what was trained.</summary>
internal static class ResultVerifier
{
    public const int Prompts = 8;
    private const int MaxAnswerTokens = 256;

    /// <summary>Scans the files, reloads them, compares logits, and asks the trained model some of its prompts.</summary>
    /// <exception cref="VerificationFailedException">A tensor is not finite, or the reloaded model is another one.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public static VerificationReport Verify(Trainee trainee, TrainingData data, string folder, CancellationToken cancellation)
    {
        var (tensors, nonFinite) = ScanFiles(folder);
        var report = new VerificationReport
        {
            Tensors = tensors, NonFiniteTensors = nonFinite, MaxLogitDifference = 0, PromptsTried = 0, PromptsEnded = 0, PromptsExact = 0,
        };
        if (nonFinite > 0)
        {
            throw new VerificationFailedException($"{nonFinite} of {tensors} written tensors hold NaN or infinity.", report);
        }

        var (difference, largest) = CompareLogits(trainee, data, folder);
        report = report with { MaxLogitDifference = difference };
        if (!(difference <= trainee.LogitTolerance * Math.Max(1, largest)))
        {
            throw new VerificationFailedException(FormattableString.Invariant($"The written files read back give other logits: {difference:g3} apart."), report);
        }

        var questions = data.Questions(data.Training, Prompts).ToList();
        var ends = data.EndTokens(trainee.Model.Config);
        foreach (var (question, answer) in questions.Zip(GreedyDecoder.Answer(trainee, data, questions, MaxAnswerTokens, cancellation)))
        {
            report = report with
            {
                PromptsTried = report.PromptsTried + 1,
                PromptsEnded = report.PromptsEnded + (answer.Count > 0 && ends.Contains(answer[^1]) ? 1 : 0),
                PromptsExact = report.PromptsExact + (question.IsAnsweredBy(answer) ? 1 : 0),
            };
        }

        return report;
    }

    /// <summary>Tokens of the longest answer that the trained model is likely to write.</summary>
    public static int ExpectedSteps(TrainingData data) => Question.LikelyTokens(data.Questions(data.Training, Prompts), MaxAnswerTokens);

    /// <summary>What asking the trained model its prompts is likely to take, by two tokens of each that it writes now.</summary>
    public static double ExpectedSeconds(Trainee trainee, TrainingData data, TimeProvider time, CancellationToken cancellation)
    {
        (IReadOnlyList<int>, int)[] prompts = [.. data.Questions(data.Training, Prompts).Select(question => ((IReadOnlyList<int>)[question.Prompt[0]], 2))];
        if (prompts.Length == 0)
        {
            return 0;
        }

        _ = GreedyDecoder.Complete(trainee.Model, trainee.Adapters, prompts, [], cancellation); // compiles what the next finds
        var start = time.GetTimestamp();
        var steps = GreedyDecoder.Complete(trainee.Model, trainee.Adapters, prompts, [], cancellation).Max(answer => answer.Count);
        return time.GetElapsedTime(start).TotalSeconds / steps * ExpectedSteps(data);
    }

    private static (int Tensors, int NonFinite) ScanFiles(string folder)
    {
        var (tensors, nonFinite) = (0, 0);
        foreach (var path in Directory.GetFiles(folder, "*.safetensors"))
        {
            using var file = SafetensorsFile.Open(path);
            foreach (var entry in file.Entries)
            {
                using var scope = NewDisposeScope();
                tensors++;
                nonFinite += file.View(entry.Name).isfinite().all().item<bool>() ? 0 : 1;
            }
        }

        return (tensors, nonFinite);
    }

    private static (double Difference, double Largest) CompareLogits(Trainee trainee, TrainingData data, string folder)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var reloaded = trainee.Reload(folder);
        var batch = MicroBatch.Build([[0]], data.Training, trainee.Model.Device);
        var trained = trainee.Logits(batch).to_type(ScalarType.Float32);
        var difference = (trained - reloaded.Logits(batch)).abs().max().item<float>();
        return (difference, trained.abs().max().item<float>());
    }
}
