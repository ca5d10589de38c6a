using LangTrain.Modeling;
using LangTrain.Training.Batches;
using LangTrain.Training.Checkpoints;
using LangTrain.Training.Observation;
using LangTrain.Training.Recipes;
using static TorchSharp.torch;

namespace LangTrain.Training.Evaluation;

/// <summary>Passes over the evaluation data, keeps the best loss in the run's state, and says when to stop early.</summary>
internal sealed class Evaluator(
    Trainee trainee, RunObjective objective, TrainingData data, TrainingOptions options, ITrainingObserver observer, CancellationToken cancellation)
{
    private const int MaxSampleTokens = 64;

    /// <summary>True if this step is followed by an evaluation.</summary>
    public bool IsDue(int step, bool endsEpoch, bool isLast) =>
        data.Evaluation is not null && (isLast || (options.EvaluationSteps is { } every ? step % every == 0 : endsEpoch));

    /// <summary>Tokens of the longest sample that an evaluation is likely to take.</summary>
    public static int ExpectedSteps(TrainingData data, TrainingOptions options) =>
        Question.LikelyTokens(data.Questions(data.Evaluation ?? data.Training, options.EvaluationSamples), MaxSampleTokens);

    /// <summary>Evaluations up to a step, this one included.</summary>
    /// <param name="step">Optimizer steps made.</param>
    /// <param name="totalSteps">Of the whole run, the last of which is followed by one.</param>
    /// <param name="stepsOfEpoch">Of a pass over the data.</param>
    public int CountUpTo(int step, int totalSteps, int stepsOfEpoch) => data.Evaluation is null ? 0
        : step / (options.EvaluationSteps ?? stepsOfEpoch) + (step >= totalSteps && totalSteps % (options.EvaluationSteps ?? stepsOfEpoch) != 0 ? 1 : 0);

    /// <summary>True if the loss has not improved for as many evaluations as the options allow.</summary>
    public bool ShouldStop(TrainingState state) =>
        options.EarlyStopping is { } early && state.EvaluationsWithoutImprovement >= early.Patience;

    /// <summary>Evaluates, reports, and notes the result.</summary>
    /// <returns>The state with the evaluation's outcome.</returns>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public TrainingState Run(TrainingState state, double epoch)
    {
        var examples = data.Evaluation ?? throw new InvalidOperationException("There is no evaluation data.");
        using var scope = NewDisposeScope();
        var lossSum = zeros([], ScalarType.Float64, trainee.Model.Device);
        var hits = zeros([], ScalarType.Int64, trainee.Model.Device);
        var (terms, tokens) = (0L, 0L);
        foreach (var rows in data.EvaluationPlan)
        {
            cancellation.ThrowIfCancellationRequested();
            using var batchScope = NewDisposeScope();
            var batch = MicroBatch.Build(rows, examples, trainee.Model.Device);
            var (batchLoss, batchHits) = objective.Evaluate(trainee, rows, batch);
            lossSum.AddInPlace(batchLoss);
            hits.AddInPlace(batchHits);
            terms += objective.Terms(rows, examples);
            tokens += batch.TrainedTokens;
        }

        var loss = lossSum.item<double>() / terms;
        if (!double.IsFinite(loss))
        {
            observer.OnLog(TrainingLogLevel.Warning, $"The evaluation after step {state.Step} has no finite loss.");
            return state with { EvaluationsWithoutImprovement = state.EvaluationsWithoutImprovement + 1 };
        }

        var minDelta = options.EarlyStopping?.MinDelta ?? 0;
        var isBest = state.BestEvaluationLoss is not { } best || loss < best - minDelta;
        var accuracy = (double)hits.item<long>() / terms;
        observer.OnEvaluation(new EvaluationMetrics
        {
            Step = state.Step, Epoch = epoch, Loss = loss, TokenAccuracy = accuracy, Tokens = tokens, IsBest = isBest, Rollbacks = state.Rollbacks,
        });
        WriteSamples(state, examples);
        return state with
        {
            LastEvaluationLoss = loss,
            LastEvaluationAccuracy = accuracy,
            BestEvaluationLoss = isBest ? loss : state.BestEvaluationLoss,
            BestEvaluationAccuracy = isBest ? accuracy : state.BestEvaluationAccuracy,
            BestStep = isBest ? state.Step : state.BestStep,
            EvaluationsWithoutImprovement = isBest ? 0 : state.EvaluationsWithoutImprovement + 1,
        };
    }

    private void WriteSamples(TrainingState state, ITokenizedExamples examples)
    {
        var questions = data.Questions(examples, options.EvaluationSamples).ToList();
        foreach (var (question, answer) in questions.Zip(GreedyDecoder.Answer(trainee, data, questions, MaxSampleTokens, cancellation)))
        {
            observer.OnSample(new SampleText(
                state.Step,
                data.Tokenizer.Decode(question.Prompt, skipSpecialTokens: false),
                // Many models have more rows than their tokenizer has tokens; one of those is no text.
                data.Tokenizer.Decode(answer.Where(id => id < data.Tokenizer.VocabularySize)),
                data.Tokenizer.Decode(question.Answer)) { Rollbacks = state.Rollbacks });
        }
    }
}
