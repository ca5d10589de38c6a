using System.Globalization;
using LangTrain.Modeling;
using LangTrain.Modeling.Tokenizers;
using LangTrain.Training.Batches;
using LangTrain.Training.Data;
using LangTrain.Training.Evaluation;
using LangTrain.Training.Observation;

namespace LangTrain.Training.Recipes;

/// <summary>The tokenized rows of a run, split into what trains and what evaluates.</summary>
internal sealed class TrainingData : IDisposable
{
    // Whatever a reader of the model needs besides config and weights.
    private static readonly string[] CopiedFiles =
    [
        "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json", "generation_config.json",
    ];

    private readonly List<TokenizedFile> _opened = [];
    private readonly int _examplesPerRow;
    private int _longest = int.MaxValue;

    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="training">What trains.</param>
    /// <param name="evaluation">What evaluates, or null.</param>
    /// <param name="options">The run's options.</param>
    public TrainingData(Tokenizer tokenizer, ITokenizedExamples training, ITokenizedExamples? evaluation, TrainingOptions options)
    {
        Tokenizer = tokenizer;
        Training = training;
        Evaluation = evaluation;
        _examplesPerRow = ExamplesPerRow(options);
        if (evaluation is not null)
        {
            EvaluationPlan = [.. Plan(evaluation, options with { GradientAccumulationSteps = 1 }, packedRowLength: null).PlanEpoch(0).SelectMany(s => s.MicroBatches)];
        }
    }

    public Tokenizer Tokenizer { get; }

    public ITokenizedExamples Training { get; }

    public ITokenizedExamples? Evaluation { get; }

    /// <summary>Micro-batches of the evaluation data, the same at every evaluation.</summary>
    public IReadOnlyList<int[][]> EvaluationPlan { get; } = [];

    /// <summary>What tokenizing the training rows found; null where they did not come from a file.</summary>
    public LengthStatistics? Statistics => _opened.FirstOrDefault()?.Statistics;

    public string ContentHash => Training.ContentHash + Evaluation?.ContentHash;

    public static TrainingData Load(TrainingOptions options, TrainingFiles files, CancellationToken cancellation)
    {
        var tokenizer = Tokenizer.Load(files.BaseModelFolder);
        var longest = Math.Min(options.MaxSequenceLength, ModelConfig.Read(files.BaseModelFolder).ContextLength);
        var tokenizing = new TokenizingOptions(longest, options.LongRows, options.LossOn);
        var opened = new List<TokenizedFile>();
        try
        {
            opened.Add(Open(files.TrainingFile, "training", tokenizing, options, files, cancellation));
            if (files.EvaluationFile is { } file)
            {
                opened.Add(Open(file, "evaluation", tokenizing, options, files, cancellation));
            }

            (ITokenizedExamples training, ITokenizedExamples? evaluation) = opened.Count > 1
                ? (opened[0], opened[1])
                : ExampleSubset.Split(opened[0], options.EvaluationSplit, options.Seed, ExamplesPerRow(options));
            var data = new TrainingData(tokenizer, training, evaluation, options) { _longest = longest };
            data._opened.AddRange(opened);
            return data;
        }
        catch
        {
            opened.ForEach(one => one.Dispose());
            throw;
        }
    }

    /// <summary>Says in the run's log what there is, and what of it cannot be used.</summary>
    /// <param name="observer">Whose log it is.</param>
    /// <param name="longRows">What became of rows that are too long.</param>
    public void Tell(ITrainingObserver observer, LongRowPolicy longRows)
    {
        foreach (var (file, name) in _opened.Zip(["training", "evaluation"]))
        {
            var found = file.Statistics;
            observer.OnLog(TrainingLogLevel.Info, string.Create(CultureInfo.InvariantCulture,
                $"The {name} data has {found.Rows:N0} rows: {found.Examples:N0} examples, {found.Tokens:N0} tokens, {found.TrainedTokens:N0} of them learned; the longest row has {found.LongestRow:N0}."));
            var drops = longRows == LongRowPolicy.Drop;
            if (found.LongRows > 0)
            {
                observer.OnLog(TrainingLogLevel.Warning, string.Create(CultureInfo.InvariantCulture,
                    $"Rows longer than {_longest:N0} tokens, which were {(drops ? "left out" : file.Shape == RowShape.Text ? "divided" : "cut")}: {found.LongRows:N0}."));
            }

            if (found.RowsLeftOut - (drops ? found.LongRows : 0) is > 0 and var unlearned)
            {
                observer.OnLog(TrainingLogLevel.Warning, string.Create(CultureInfo.InvariantCulture, $"Rows left out, because nothing in them would be learned: {unlearned:N0}."));
            }
        }
    }

    /// <summary>Tokens of a micro-batch, in the mean.</summary>
    public double TokensOfMicroBatch(TrainingOptions options) =>
        (double)options.BatchSize * _examplesPerRow * (options.Packing ? PackedRowLength(options) : Enumerable.Range(0, Training.Count).Average(Training.LengthOf));

    /// <summary>Which training examples meet when.</summary>
    public BatchPlanner Planner(TrainingOptions options) => Plan(Training, options, options.Packing ? PackedRowLength(options) : null);

    /// <summary>Tokens that end an answer when the model is served: those of its config, and the tokenizer's, which rows end with.</summary>
    public IReadOnlyCollection<int> EndTokens(ModelConfig config) => [.. config.EosTokenIds, .. Tokenizer.EosTokenId is { } eos ? [eos] : Array.Empty<int>()];

    /// <summary>Prompts and answers among the training examples; of pairs the chosen answers.</summary>
    public IEnumerable<Question> Questions(ITokenizedExamples examples, int count) => Question.Among(examples, count, _examplesPerRow);

    // A row of several examples has to fit the model as one of a single example does.
    private int PackedRowLength(TrainingOptions options) => Math.Min(options.MaxSequenceLength, _longest);

    private static BatchPlanner Plan(ITokenizedExamples examples, TrainingOptions options, int? packedRowLength)
    {
        if (options.Objective == TrainingObjective.Dpo)
        {
            return PlanPairs(examples, options);
        }

        var lengths = Enumerable.Range(0, examples.Count).Select(examples.LengthOf).ToArray();
        return new BatchPlanner(lengths, options.BatchSize, options.GradientAccumulationSteps, packedRowLength, options.Seed);
    }

    /// <summary>Batches of pairs, whose length is that of the longer answer: both are padded to it.</summary>
    public static BatchPlanner PlanPairs(ITokenizedExamples examples, TrainingOptions options)
    {
        var lengths = Enumerable.Range(0, examples.Count / 2).Select(pair => Math.Max(examples.LengthOf(2 * pair), examples.LengthOf(2 * pair + 1))).ToArray();
        return new BatchPlanner(lengths, options.BatchSize, options.GradientAccumulationSteps, packedRowLength: null, options.Seed, isOfPairs: true);
    }

    /// <summary>Makes a folder of full weights a whole model: tokenizer, template and generation settings of the base.</summary>
    public static void CopyModelFiles(TrainingFiles files)
    {
        foreach (var name in CopiedFiles)
        {
            var source = Path.Combine(files.BaseModelFolder, name);
            if (File.Exists(source))
            {
                File.Copy(source, Path.Combine(files.OutputFolder, name), overwrite: true);
            }
        }
    }

    private static int ExamplesPerRow(TrainingOptions options) => options.Objective == TrainingObjective.Dpo ? 2 : 1;

    public void Dispose() => _opened.ForEach(one => one.Dispose());

    private static TokenizedFile Open(string path, string name, TokenizingOptions tokenizing, TrainingOptions options, TrainingFiles files, CancellationToken cancellation)
    {
        // Beside the checkpoints: a resumed run finds its tokens as it finds its steps.
        var folder = Path.Combine(files.CheckpointFolder.TrimEnd(Path.DirectorySeparatorChar) + "-tokens", name);
        TokenizedFile file;
        try
        {
            file = TokenizedFile.Open(path, files.BaseModelFolder, tokenizing, folder, cancellation);
        }
        catch (TrainingDataException failure) when (path == files.EvaluationFile)
        {
            throw new TrainingDataException($"The evaluation data cannot be used. {failure.Message}", inner: failure);
        }

        if (file.Shape == RowShape.Preference != (options.Objective == TrainingObjective.Dpo))
        {
            file.Dispose();
            throw new TrainingDataException(options.Objective == TrainingObjective.Dpo
                ? "Preference training needs rows with prompt, chosen and rejected."
                : "Rows with chosen and rejected answers are for preference training; this objective needs messages, prompt and completion, or text.");
        }

        return file;
    }
}
