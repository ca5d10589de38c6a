using System.Text.Json;
using LangTrain.Modeling.ChatTemplates;
using LangTrain.Modeling.Tokenizers;
using LangTrain.Training.Batches;
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

    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="training">What trains.</param>
    /// <param name="evaluation">What evaluates, or null.</param>
    /// <param name="options">The run's options.</param>
    public TrainingData(Tokenizer tokenizer, ITokenizedExamples training, ITokenizedExamples? evaluation, TrainingOptions options)
    {
        Tokenizer = tokenizer;
        Training = training;
        Evaluation = evaluation;
        if (evaluation is not null)
        {
            var lengths = Enumerable.Range(0, evaluation.Count).Select(evaluation.LengthOf).ToArray();
            EvaluationPlan = [.. new BatchPlanner(lengths, options.BatchSize, 1, packedRowLength: null, options.Seed).PlanEpoch(0).SelectMany(s => s.MicroBatches)];
        }
    }

    public Tokenizer Tokenizer { get; }

    public ITokenizedExamples Training { get; }

    public ITokenizedExamples? Evaluation { get; }

    /// <summary>Micro-batches of the evaluation data, the same at every evaluation.</summary>
    public IReadOnlyList<int[][]> EvaluationPlan { get; } = [];

    public int TooLongExamples { get; }

    public string ContentHash => Training.ContentHash + Evaluation?.ContentHash;

    public static TrainingData Load(TrainingOptions options, TrainingFiles files, ITrainingObserver observer, CancellationToken cancellation)
    {
        var tokenizer = Tokenizer.Load(files.BaseModelFolder);
        using var template = ChatTemplate.Load(files.BaseModelFolder);
        var all = Read(files.TrainingFile, tokenizer, template);
        (ITokenizedExamples training, ITokenizedExamples? evaluation) = files.EvaluationFile is { } file
            ? (all, Read(file, tokenizer, template))
            : ExampleSubset.Split(all, options.EvaluationSplit, options.Seed);
        return new TrainingData(tokenizer, training, evaluation, options);
    }

    public BatchPlanner Planner(TrainingOptions options)
    {
        var lengths = Enumerable.Range(0, Training.Count).Select(Training.LengthOf).ToArray();
        return new BatchPlanner(lengths, options.BatchSize, options.GradientAccumulationSteps, options.Packing ? options.MaxSequenceLength : null, options.Seed);
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

    public void Dispose()
    {
    }

    private static InMemoryExamples Read(string path, Tokenizer tokenizer, ChatTemplate? template) => new(File.ReadLines(path).Select(line =>
    {
        using var row = JsonDocument.Parse(line);
        if (row.RootElement.TryGetProperty("messages", out var messages))
        {
            var chat = new ChatPromptEncoder(tokenizer, template!).EncodeForTraining(new ChatRenderInput(messages));
            return new TokenizedExample(chat.Ids, chat.IsTrained);
        }

        List<int> ids = [tokenizer.BosTokenId!.Value, .. tokenizer.Encode(row.RootElement.GetProperty("prompt").GetString()!)];
        var prompt = ids.Count;
        ids.AddRange(tokenizer.Encode(row.RootElement.GetProperty("completion").GetString()!));
        ids.Add(tokenizer.EosTokenId!.Value);
        return new TokenizedExample([.. ids], [.. ids.Select((_, i) => i >= prompt)]);
    }).ToArray());
}
