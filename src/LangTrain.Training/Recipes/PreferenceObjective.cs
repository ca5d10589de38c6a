using LangTrain.Modeling;
using LangTrain.Training.Batches;
using LangTrain.Training.Losses;
using static TorchSharp.torch;

namespace LangTrain.Training.Recipes;

/// <summary>Direct preference optimization over pairs of answers; the reference is the model as it was before training.</summary>
/// <remarks>
/// arXiv:2305.18290. The reference never changes, so its log-probabilities are worked out once for all answers, before the first step: from the base
/// model's files, and with the adapter that training begins with where there is one (a new adapter changes nothing), also when a run goes on from a checkpoint.
/// </remarks>
internal sealed class PreferenceObjective : RunObjective
{
    private readonly double _beta;
    private readonly double[] _training, _evaluation;

    private PreferenceObjective(double beta, double[] training, double[] evaluation) => (_beta, _training, _evaluation) = (beta, training, evaluation);

    /// <summary>Passes over all answers with the untrained model.</summary>
    /// <inheritdoc cref="RunObjective.Create"/>
    public static PreferenceObjective? Measure(TrainingOptions options, Trainee trainee, TrainingData data, TrainingControl control)
    {
        var training = Reference(options, trainee, data.Training, control);
        var evaluation = data.Evaluation is { } rows ? Reference(options, trainee, rows, control) : [];
        return training is null || evaluation is null ? null : new PreferenceObjective(options.Beta ?? TrainingOptions.DefaultBeta, training, evaluation);
    }

    // A pair ranked wrongly costs as much as its rewards are apart, without bound: ten is far beyond what a run that works shows.
    public override double GuessingLoss(int vocabularySize) => 10;

    public override int Terms(IEnumerable<int[]> rows, ITokenizedExamples examples) => rows.Count() / 2;

    public override Tensor Accumulate(Trainee trainee, int[][] rows, MicroBatch batch, double termWeight, Generator dropout)
    {
        using var scope = NewDisposeScope();
        var loss = trainee.AccumulatePreferences(batch, ReferenceOf(rows, _training, batch), _beta, termWeight, dropout);
        return scope.MoveToOuter(loss.Sums());
    }

    public override (Tensor LossSum, Tensor Hits) Evaluate(Trainee trainee, int[][] rows, MicroBatch batch)
    {
        using var scope = NewDisposeScope();
        var loss = PreferenceLoss.Of(trainee.LogProbabilities(batch), ReferenceOf(rows, _evaluation, batch), _beta);
        return scope.MoveToOuter(loss.Losses.sum(), loss.Margins.gt(Scalars.Of(0)).sum(ScalarType.Int64));
    }

    private static Tensor ReferenceOf(int[][] rows, double[] reference, MicroBatch batch) =>
        tensor(rows.Select(row => reference[row[0]]).ToArray(), device: batch.Ids.device); // [2P]

    private static double[]? Reference(TrainingOptions options, Trainee trainee, ITokenizedExamples examples, TrainingControl control)
    {
        var reference = new double[examples.Count];
        foreach (var rows in TrainingData.PlanPairs(examples, options).PlanEpoch(0).SelectMany(step => step.MicroBatches))
        {
            control.Cancellation.ThrowIfCancellationRequested();
            if (control.IsPauseRequested)
            {
                return null;
            }

            using var scope = NewDisposeScope();
            var sums = trainee.LogProbabilities(MicroBatch.Build(rows, examples, trainee.Model.Device)).cpu().data<double>();
            for (var row = 0; row < rows.Length; row++)
            {
                reference[rows[row][0]] = sums[row];
            }
        }

        return reference;
    }
}
