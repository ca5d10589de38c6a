using LangTrain.Modeling;
using LangTrain.Training.Batches;
using LangTrain.Training.Losses;
using LangTrain.Training.Optimization;
using static TorchSharp.torch;

namespace LangTrain.Training.Recipes;

/// <summary>What a run trains: a model, perhaps with an adapter, and which of its tensors learn.</summary>
/// <remarks>Owns the model and adapter. One run, one thread.</remarks>
internal abstract class Trainee(DecoderModel model, AdapterSelection adapters, IReadOnlyList<TrainedParameter> parameters) : IDisposable
{
    /// <summary>The model, in training with its gradients on exactly where <see cref="Parameters"/> says.</summary>
    public DecoderModel Model { get; } = model;

    /// <summary>The adapter that every row uses, if there is one.</summary>
    public AdapterSelection Adapters { get; } = adapters;

    /// <summary>What the products of training passes are computed in; null is the model's dtype.</summary>
    public ScalarType? ComputeDtype { get; set; }

    /// <summary>Whether training passes multiply with weights in 16-bit integers, see <see cref="ForwardPass.Int16Products"/>.</summary>
    public bool Int16Products { get; init; }

    /// <summary>Whether training passes keep only each layer's input, see <see cref="TrainingOptions.ActivationCheckpointing"/>.</summary>
    public bool ActivationCheckpointing { get; set; }

    /// <summary>The tensors that learn.</summary>
    public IReadOnlyList<TrainedParameter> Parameters { get; } = parameters;

    /// <summary>Adds one micro-batch's gradient to the parameters' gradients.</summary>
    /// <param name="batch">The micro-batch.</param>
    /// <param name="lossWeight">What one trained token counts: 1 / trained tokens of the whole optimizer step.</param>
    /// <param name="dropout">Seeded for this micro-batch.</param>
    /// <returns>The unweighted sum of losses, scalar, fp64; fresh, owned by the caller's scope.</returns>
    public Tensor Accumulate(MicroBatch batch, double lossWeight, Generator dropout)
    {
        using var scope = NewDisposeScope();
        using var pass = Model.Track(batch.Ids, PassFor(batch, dropout), ComputeDtype);
        var trained = batch.TakeTrained(pass.Hidden); // [N, C]

        // The head's gradient is made chunk by chunk with its loss; the pass goes on from the hidden states.
        var (lossSum, gradient) = ChunkedCrossEntropy.Backward(
            trained, Model.OutputWeight, batch.Targets, lossWeight, HeadGradient(), Model.Config.LogitSoftCap, int16Products: Int16Products);
        pass.Backward(batch.PutBackTrained(gradient));
        return scope.MoveToOuter(lossSum);
    }

    /// <summary>Adds one micro-batch of preference pairs to the parameters' gradients.</summary>
    /// <param name="batch">P pairs: row 2n holds pair n's chosen answer, row 2n + 1 the rejected one.</param>
    /// <param name="reference">[2P], fp64, the reference's log-probability of each row's answer.</param>
    /// <param name="beta">DPO's beta.</param>
    /// <param name="lossWeight">What one pair counts: 1 / pairs of the whole optimizer step.</param>
    /// <param name="dropout">Seeded for this micro-batch.</param>
    /// <returns>What the pairs measured; its tensors are fresh, owned by the caller's scope.</returns>
    public PreferenceLoss AccumulatePreferences(MicroBatch batch, Tensor reference, double beta, double lossWeight, Generator dropout)
    {
        using var scope = NewDisposeScope();
        using var pass = Model.Track(batch.Ids, PassFor(batch, dropout), ComputeDtype);
        var trained = batch.TakeTrained(pass.Hidden); // [N, C]

        // The loss of a pair depends on whole answers, so the head runs twice: for their probabilities, then for the gradient that follows from them.
        var logProbabilities = batch.SumByRow(ChunkedCrossEntropy.LogProbabilities(trained, Model.OutputWeight, batch.Targets, Model.Config.LogitSoftCap, Int16Products)); // [2P]
        var loss = PreferenceLoss.Of(logProbabilities, reference, beta);
        var weights = loss.RowWeights.index_select(0, batch.TrainedRows); // [N]
        var (_, gradient) = ChunkedCrossEntropy.Backward(
            trained, Model.OutputWeight, batch.Targets, lossWeight, HeadGradient(), Model.Config.LogitSoftCap, weights, Int16Products);
        pass.Backward(batch.PutBackTrained(gradient));
        return loss.MoveTo(scope);
    }

    /// <summary>The log-probability of each row's trained tokens together, without dropout and gradient.</summary>
    /// <param name="batch">The micro-batch, one example a row.</param>
    /// <returns>[B], fp64; fresh, owned by the caller's scope.</returns>
    public Tensor LogProbabilities(MicroBatch batch)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        // The way that training passes go, so that what is compared with them differs by the weights and not by rounding.
        using var pass = Model.Track(batch.Ids, PassFor(batch, activationCheckpointing: true), ComputeDtype);
        var trained = batch.TakeTrained(pass.Hidden); // [N, C]
        return scope.MoveToOuter(batch.SumByRow(ChunkedCrossEntropy.LogProbabilities(trained, Model.OutputWeight, batch.Targets, Model.Config.LogitSoftCap, Int16Products)));
    }

    /// <summary>The loss and hits of one micro-batch, without dropout and gradient.</summary>
    /// <returns>Scalars, fp64 and int64; fresh, owned by the caller's scope.</returns>
    public (Tensor LossSum, Tensor Hits) Evaluate(MicroBatch batch)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var hidden = Model.Hidden(batch.Ids, PassFor(batch)); // [B, T, C]
        var trained = batch.TakeTrained(hidden); // [N, C]
        var (lossSum, hits) = ChunkedCrossEntropy.Evaluate(trained, Model.OutputWeight, batch.Targets, Model.Config.LogitSoftCap);
        return scope.MoveToOuter(lossSum, hits);
    }

    /// <summary>The logits of every position, without dropout and gradient: for comparing models on one short batch.</summary>
    /// <returns>[B, T, V]; fresh, owned by the caller's scope.</returns>
    public Tensor Logits(MicroBatch batch)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return scope.MoveToOuter(Model.Logits(Model.Hidden(batch.Ids, PassFor(batch))));
    }

    /// <summary>Whether all that learns is finite: an update can leave infinities that only the next step's loss would show. Waits for the device.</summary>
    public bool IsFinite()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return stack([.. Parameters.Select(p => p.Value.norm().to_type(ScalarType.Float64))]).isfinite().all().item<bool>();
    }

    /// <summary>How far, relative to the largest, logits may move by writing and reading: 0 where all is kept in full.</summary>
    public abstract double LogitTolerance { get; }

    /// <summary>Writes what was trained, in the layout in which others read it.</summary>
    public abstract void Save(string folder);

    /// <summary>Takes over what <see cref="Save"/> wrote.</summary>
    public abstract void Restore(string folder);

    /// <summary>Reads the files of <see cref="Save"/> into an independent trainee, to compare.</summary>
    public abstract Trainee Reload(string folder);

    /// <inheritdoc/>
    public abstract void Dispose();

    private ForwardPass PassFor(MicroBatch batch, Generator? dropout = null, bool activationCheckpointing = false) => new()
    {
        Positions = batch.Positions, Segments = batch.Segments, Adapters = Adapters, Training = dropout is not null, Generator = dropout,
        Int16Products = Int16Products, ActivationCheckpointing = activationCheckpointing || (ActivationCheckpointing && dropout is not null),
    };

    // The head's weight learns in full training only; with tied embeddings it is the embedding, whose gradient autograd adds to this one.
    private Tensor? HeadGradient()
    {
        if (!Model.OutputWeight.requires_grad)
        {
            return null;
        }

        if (Model.OutputWeight.grad is null)
        {
            Model.OutputWeight.grad = zeros_like(Model.OutputWeight);
        }

        return Model.OutputWeight.grad;
    }
}
