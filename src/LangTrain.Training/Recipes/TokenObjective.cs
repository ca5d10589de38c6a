using LangTrain.Training.Batches;
using static TorchSharp.torch;

namespace LangTrain.Training.Recipes;

/// <summary>Cross-entropy of the trained tokens: supervised fine-tuning and continued pre-training, which differ in their masks only.</summary>
internal sealed class TokenObjective : RunObjective
{
    public override double GuessingLoss(int vocabularySize) => Math.Log(vocabularySize);

    public override int Terms(IEnumerable<int[]> rows, ITokenizedExamples examples) => rows.Sum(row => row.Sum(examples.TrainedTokensOf));

    public override Tensor Accumulate(Trainee trainee, int[][] rows, MicroBatch batch, double termWeight, Generator dropout)
    {
        using var scope = NewDisposeScope();
        var loss = trainee.Accumulate(batch, termWeight, dropout);
        var none = zeros_like(loss);
        return scope.MoveToOuter(stack([loss, none, none]));
    }

    public override (Tensor LossSum, Tensor Hits) Evaluate(Trainee trainee, int[][] rows, MicroBatch batch) => trainee.Evaluate(batch);
}
