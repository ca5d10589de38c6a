using LangTrain.Modeling;
using LangTrain.Modeling.Tokenizers;
using LangTrain.Training.Losses;
using LangTrain.Training.Observation;
using LangTrain.Training.Optimization;
using static TorchSharp.torch;

namespace LangTrain.Training.TinyBaseModel;

/// <summary>Trains the tiny base model from nothing on the generated corpus.</summary>
/// <remarks>Documents stand one behind the other in rows of a fixed length; every token is learned. The same options give the same weights on the same machine.</remarks>
public sealed class TinyPretraining(TinyPretrainingOptions options, TimeProvider time)
{
    /// <summary>Writes tokenizer, template and settings, trains, and writes the weights.</summary>
    /// <param name="folder">The model's folder; it is made, and its files are replaced.</param>
    /// <param name="observer">Told of the loss every few steps.</param>
    /// <param name="cancellation">Ends training without weights.</param>
    /// <returns>The mean loss of the last hundred steps, in nats a token.</returns>
    public double Run(string folder, ITrainingObserver observer, CancellationToken cancellation)
    {
        // 1. Everything but the weights, then a model of that shape with random ones.
        TinyModelFiles.Write(folder, options.Seed);
        var tokenizer = Tokenizer.Load(folder);
        using var scope = NewDisposeScope();
        using var model = DecoderModel.Create(ModelConfig.Read(folder), options.Seed);
        model.SetTrainable(true);
        var parameters = TrainedParameter.From(model.named_parameters());
        using var optimizer = new AdamW(parameters, new AdamWOptions(0.9, 0.99, 1e-8, options.WeightDecay));
        var schedule = new LearningRateSchedule(LearningRateDecay.Cosine, options.LearningRate, options.WarmupSteps, options.Steps);
        using var rows = Rows(tokenizer).GetEnumerator();
        var recent = new Queue<double>();
        var started = time.GetTimestamp();

        // 2. The loop.
        for (var step = 0; step < options.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var stepScope = NewDisposeScope();
            var (ids, targets) = Batch(rows);
            var hidden = model.Hidden(ids, new ForwardPass { Training = true }); // [B, T, C]
            model.OutputWeight.grad ??= zeros_like(model.OutputWeight);
            var (lossSum, hiddenGradient) = ChunkedCrossEntropy.Backward(hidden.detach().flatten(0, 1), model.OutputWeight, targets.flatten(), 1.0 / targets.numel(), model.OutputWeight.grad);
            hidden.backward([hiddenGradient.view(hidden.shape)]);
            var norm = (double)GradientClip.Norm(parameters).item<float>();
            GradientClip.Clip(parameters, norm, 1.0);
            var learningRate = schedule.At(step);
            optimizer.Step(learningRate);
            optimizer.ClearGradients();
            recent.Enqueue(lossSum.item<double>() / targets.numel());
            if (recent.Count > 100) recent.Dequeue();
            if ((step + 1) % options.LogSteps == 0) Report(observer, step + 1, recent.Average(), norm, learningRate, time.GetElapsedTime(started));
        }

        // 3. The weights.
        model.Save(folder);
        return recent.Average();
    }

    private void Report(ITrainingObserver observer, int step, double loss, double norm, double learningRate, TimeSpan elapsed)
    {
        var tokens = (long)step * options.RowsPerStep * options.RowLength;
        observer.OnMetrics(new TrainingMetrics
        {
            Epoch = (double)step / options.Steps, Step = step, TotalSteps = options.Steps, Loss = loss, LearningRate = learningRate, GradientNorm = norm,
            TrainedTokens = tokens, TokensPerSecond = tokens / elapsed.TotalSeconds, EtaSeconds = elapsed.TotalSeconds * (options.Steps - step) / step,
            MemoryBytes = System.Environment.WorkingSet,
        });
    }

    /// <summary>[B, T] inputs and [B, T] targets, int64: the targets are the inputs one token on.</summary>
    private (Tensor Ids, Tensor Targets) Batch(IEnumerator<long[]> rows)
    {
        var tokens = new long[options.RowsPerStep * (options.RowLength + 1)];
        for (var i = 0; i < options.RowsPerStep; i++)
        {
            rows.MoveNext();
            rows.Current.CopyTo(tokens, i * (options.RowLength + 1));
        }
        var all = tensor(tokens, [options.RowsPerStep, options.RowLength + 1]);
        return (all[.., ..^1].contiguous(), all[.., 1..].contiguous());
    }

    private IEnumerable<long[]> Rows(Tokenizer tokenizer)
    {
        var pending = new Queue<long>();
        foreach (var document in TinyCorpus.Documents(options.Seed))
        {
            foreach (var id in TinyModelFiles.Encode(tokenizer, document)) pending.Enqueue(id);
            while (pending.Count > options.RowLength)
            {
                var row = new long[options.RowLength + 1];
                for (var i = 0; i < row.Length; i++) row[i] = pending.Dequeue();
                yield return row;
            }
        }
    }
}
