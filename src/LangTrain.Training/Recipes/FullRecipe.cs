using LangTrain.Modeling;
using LangTrain.Training.Observation;
using LangTrain.Training.Optimization;
using static TorchSharp.torch;

namespace LangTrain.Training.Recipes;

/// <summary>Trains every weight of a model; the weights are fp32, whatever products are computed in.</summary>
/// <remarks>The result is a model folder in Hugging Face layout, tokenizer and templates included.</remarks>
public sealed class FullRecipe : FineTuneRecipe
{
    /// <inheritdoc cref="FineTuneRecipe(TrainingOptions, TrainingFiles, ITrainingObserver, TrainingControl, TimeProvider)"/>
    public FullRecipe(TrainingOptions options, TrainingFiles files, ITrainingObserver observer, TrainingControl control, TimeProvider time)
        : base(options, files, observer, control, time)
    {
        if (options.Method != TrainingMethod.Full)
        {
            throw new ArgumentException($"This recipe trains every weight, not {options.Method}.", nameof(options));
        }
    }

    private protected override Trainee CreateTrainee(TrainingOptions options, TrainingFiles files) => Prepare(options, files);

    /// <summary>Loads the model with gradients on.</summary>
    /// <inheritdoc cref="LoraRecipe.Prepare"/>
    internal static Trainee Prepare(TrainingOptions options, TrainingFiles files, ComputeTarget? target = null)
    {
        target ??= ComputeTarget.Of(options, ModelConfig.Read(files.BaseModelFolder));
        return Wrap(DecoderModel.Load(files.BaseModelFolder, LoadOptions(target)), target);
    }

    /// <summary>How the model is held.</summary>
    internal static ModelLoadOptions LoadOptions(ComputeTarget target) => new() { Dtype = ScalarType.Float32, Device = target.Device };

    /// <summary>Turns a model's gradients on; it is the trainee's from then on.</summary>
    internal static Trainee Wrap(DecoderModel model, ComputeTarget target)
    {
        model.SetTrainable(true);
        return new ModelTrainee(model) { ComputeDtype = target.Dtype, Int16Products = target.Int16Products };
    }

    private sealed class ModelTrainee(DecoderModel model) : Trainee(model, AdapterSelection.None, TrainedParameter.From(model.named_parameters()))
    {
        // Weights are written in the fp32 that they were trained in.
        public override double LogitTolerance => 0;

        public override void Save(string folder) => Model.Save(folder, ScalarType.Float32);

        public override void Restore(string folder)
        {
            using var noGrad = no_grad();
            using var stored = DecoderModel.Load(folder, Model.Options);
            var values = stored.named_parameters().ToDictionary(p => p.name, p => p.parameter);
            foreach (var parameter in Parameters)
            {
                parameter.Value.copy_(values[parameter.Name]);
            }
        }

        public override Trainee Reload(string folder) => new ModelTrainee(DecoderModel.Load(folder, Model.Options));

        public override void Dispose() => Model.Dispose();
    }
}
