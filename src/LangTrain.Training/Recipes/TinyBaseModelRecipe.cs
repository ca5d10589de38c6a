using LangTrain.Modeling;
using LangTrain.Modeling.Tokenizers;
using LangTrain.Training.Batches;
using LangTrain.Training.Observation;
using LangTrain.Training.TinyBaseModel;
using static TorchSharp.torch;

namespace LangTrain.Training.Recipes;

/// <summary>Pre-trains the tiny base model that ships with LangTrain, from random weights, on text that <see cref="TinyCorpus"/> writes.</summary>
/// <remarks>It is the full recipe with another source of rows: documents in packed rows, each token trained.</remarks>
public sealed class TinyBaseModelRecipe : FineTuneRecipe
{
    private const long CorpusSeed = 1;
    // Documents of another seed, so that the evaluation loss is that of text never seen.
    private const long EvaluationSeed = 2;
    private const int EvaluationDocuments = 256;
    private readonly int _documents;

    /// <summary>Makes a run that writes the finished model, a folder in Hugging Face layout, into <paramref name="outputFolder"/>.</summary>
    /// <param name="workFolder">Holds the untrained model and checkpoints; a stopped run goes on from it.</param>
    /// <param name="outputFolder">Where the model goes.</param>
    /// <param name="documents">Documents to train on, each once; <see cref="DefaultDocuments"/> made the shipped model.</param>
    /// <param name="observer">Hears of its progress.</param>
    /// <param name="control">Stops it from outside.</param>
    /// <param name="time">The clock.</param>
    public TinyBaseModelRecipe(string workFolder, string outputFolder, int documents, ITrainingObserver observer, TrainingControl control, TimeProvider time)
        : base(Options, Files(workFolder, outputFolder), observer, control, time)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(documents);
        _documents = documents;
    }

    /// <summary>Documents that the shipped model was trained on.</summary>
    public const int DefaultDocuments = 165_000;

    private static TrainingOptions Options { get; } = new()
    {
        Method = TrainingMethod.Full,
        Objective = TrainingObjective.Text,
        Epochs = 1,
        BatchSize = 8,
        Packing = true,
        MaxSequenceLength = 256,
        LearningRate = 3e-3,
        WarmupSteps = 100,
        WeightDecay = 0.05,
        AdamBeta2 = 0.98,
        EvaluationSteps = 500,
        EvaluationSamples = 0,
        SaveSteps = 500,
        KeepCheckpoints = 1,
    };

    private protected override TrainingData LoadData(TrainingOptions options, TrainingFiles files, CancellationToken cancellation)
    {
        if (!File.Exists(Path.Combine(files.BaseModelFolder, "model.safetensors")))
        {
            TinyModelFiles.Write(files.BaseModelFolder, CorpusSeed);
            using var untrained = DecoderModel.Create(ModelConfig.Read(files.BaseModelFolder), SeededRandom.Mix(options.Seed, RandomPurpose.ModelInit));
            untrained.Save(files.BaseModelFolder, ScalarType.Float32);
        }

        var tokenizer = Tokenizer.Load(files.BaseModelFolder);
        return new TrainingData(tokenizer, Examples(tokenizer, CorpusSeed, _documents, options), Examples(tokenizer, EvaluationSeed, EvaluationDocuments, options), options);
    }

    private protected override Trainee CreateTrainee(TrainingOptions options, TrainingFiles files) => FullRecipe.Prepare(options, files);

    private static InMemoryExamples Examples(Tokenizer tokenizer, long seed, int count, TrainingOptions options) =>
        new([.. TinyCorpus.Documents(seed).Take(count).Select(document =>
        {
            int[] ids = [.. TinyModelFiles.Encode(tokenizer, document).Take(options.MaxSequenceLength)];
            return new TokenizedExample(ids, [.. ids.Select(_ => true)]);
        })]);

    private static TrainingFiles Files(string workFolder, string outputFolder) => new()
    {
        BaseModelFolder = Path.Combine(workFolder, "untrained"),
        BaseModelName = "langtrain/tiny-base",
        TrainingFile = "",
        CheckpointFolder = Path.Combine(workFolder, "checkpoints"),
        OutputFolder = outputFolder,
    };
}
