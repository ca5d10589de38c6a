using LangTrain.Modeling;
using LangTrain.Training.Batches;
using LangTrain.Training.Observation;
using LangTrain.Training.Optimization;
using static TorchSharp.torch;

namespace LangTrain.Training.Recipes;

/// <summary>Trains a low-rank adapter over a frozen base model, held in full precision (LoRA) or in 4-bit NF4 (QLoRA).</summary>
/// <remarks>arXiv:2106.09685; QLoRA arXiv:2305.14314. The result is an adapter folder in PEFT layout.</remarks>
public sealed class LoraRecipe : FineTuneRecipe
{
    /// <inheritdoc cref="FineTuneRecipe(TrainingOptions, TrainingFiles, ITrainingObserver, TrainingControl, TimeProvider)"/>
    public LoraRecipe(TrainingOptions options, TrainingFiles files, ITrainingObserver observer, TrainingControl control, TimeProvider time)
        : base(options, files, observer, control, time)
    {
        if (options.Method is not (TrainingMethod.Lora or TrainingMethod.QLora))
        {
            throw new ArgumentException($"This recipe trains adapters, not {options.Method}.", nameof(options));
        }
    }

    private protected override Trainee CreateTrainee(TrainingOptions options, TrainingFiles files) => Prepare(options, files);

    /// <summary>Loads the base, frozen, and makes a new adapter over it.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="files">The run's files.</param>
    /// <param name="target">Where and in what to compute; null is what fits the options and the machine.</param>
    internal static Trainee Prepare(TrainingOptions options, TrainingFiles files, ComputeTarget? target = null)
    {
        target ??= ComputeTarget.Of(options, ModelConfig.Read(files.BaseModelFolder));
        var trainee = Wrap(DecoderModel.Load(files.BaseModelFolder, LoadOptions(options, target)), options, target, files.BaseModelName);
        try
        {
            if (files.InitialAdapterFolder is { } initial)
            {
                // A checkpoint of this run, where there is one, is restored over it.
                trainee.Restore(initial);
            }

            return trainee;
        }
        catch
        {
            trainee.Dispose();
            throw;
        }
    }

    /// <summary>How the base model is held.</summary>
    internal static ModelLoadOptions LoadOptions(TrainingOptions options, ComputeTarget target) => new()
    {
        Dtype = target.Dtype, Device = target.Device, Quantization = options.Method == TrainingMethod.QLora ? Quantization.NF4 : Quantization.None,
    };

    /// <summary>Makes a new adapter over a model, which is the trainee's from then on.</summary>
    internal static Trainee Wrap(DecoderModel model, TrainingOptions options, ComputeTarget target, string baseModelName)
    {
        try
        {
            var seed = SeededRandom.Mix(options.Seed, RandomPurpose.AdapterInit);
            return new AdapterTrainee(model, LoraAdapter.Create(model, options.Lora, seed), baseModelName, ownsModel: true) { Int16Products = target.Int16Products };
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private sealed class AdapterTrainee(DecoderModel model, LoraAdapter adapter, string baseModelName, bool ownsModel)
        : Trainee(model, AdapterSelection.All(adapter), TrainedParameter.From(adapter.named_parameters()))
    {
        public override double LogitTolerance => 0;

        public override void Save(string folder) => adapter.SavePeft(folder, baseModelName);

        public override void Restore(string folder)
        {
            using var noGrad = no_grad();
            using var stored = LoraAdapter.LoadPeft(folder, Model);
            if (stored.Modules.Count != adapter.Modules.Count)
            {
                throw new InvalidDataException($"The stored adapter has {stored.Modules.Count} modules; the run's has {adapter.Modules.Count}.");
            }

            foreach (var module in adapter.Modules.Where(module => stored.Options.ScalingOf(module) != adapter.Options.ScalingOf(module)))
            {
                throw new InvalidDataException($"The stored adapter scales {module} by {stored.Options.ScalingOf(module)}; the run's by {adapter.Options.ScalingOf(module)}.");
            }

            foreach (var ((name, parameter), (storedName, value)) in adapter.named_parameters().Zip(stored.named_parameters()))
            {
                if (name != storedName)
                {
                    throw new InvalidDataException($"The stored adapter has {storedName} where {name} belongs.");
                }

                parameter.copy_(value);
            }
        }

        public override Trainee Reload(string folder) => new AdapterTrainee(Model, LoraAdapter.LoadPeft(folder, Model), baseModelName, ownsModel: false);

        public override void Dispose()
        {
            adapter.Dispose();
            if (ownsModel)
            {
                Model.Dispose();
            }
        }
    }
}
