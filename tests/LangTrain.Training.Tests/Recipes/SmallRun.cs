using System.Text.Json.Nodes;
using LangTrain.Modeling;
using LangTrain.Training.Recipes;
using static TorchSharp.torch;

namespace LangTrain.Training.Tests.Recipes;

/// <summary>A random Llama, of 30 thousand parameters where not asked for another, with a byte tokenizer, some rows, and folders of one run; removed when disposed.</summary>
internal sealed class SmallRun : IDisposable
{
    private readonly string _root;

    /// <summary>The same run in another process, over the folders of the first.</summary>
    public SmallRun(string root) => _root = root;

    public SmallRun(int rows = 16)
        : this(Small, rows)
    {
    }

    public SmallRun(ModelConfig config, int rows = 16)
    {
        _root = Directory.CreateTempSubdirectory("small-run").FullName;
        Directory.CreateDirectory(BaseModel);
        WriteTokenizer();
        using (var model = DecoderModel.Create(config, seed: 7))
        {
            model.Save(BaseModel, ScalarType.Float32);
        }

        WriteRows(Enumerable.Range(0, rows).Select(i => new JsonObject
        {
            ["prompt"] = $"Number {i * 7 % 31}{new string('?', i % 5)}",
            ["completion"] = $"{(char)('a' + i % 26)} comes after {i * 7 % 31 - 1}",
        }));
    }

    private static ModelConfig Small => ModelConfig.ForLlama(
        vocabularySize: 259, hiddenSize: 32, layerCount: 2, queryHeads: 4, keyValueHeads: 2, feedForwardSize: 64, contextLength: 128, bosTokenId: 256, eosTokenId: 257);

    public string Root => _root;

    public string BaseModel => Path.Combine(_root, "base");

    public string TrainingFile => Path.Combine(_root, "train.jsonl");

    public string? EvaluationFile { get; set; }

    public TrainingFiles Files(string name = "run") => new()
    {
        BaseModelFolder = BaseModel,
        BaseModelName = "test/small",
        TrainingFile = TrainingFile,
        EvaluationFile = EvaluationFile,
        CheckpointFolder = Path.Combine(_root, name, "checkpoints"),
        OutputFolder = Path.Combine(_root, name, "output"),
    };

    public void WriteRows(IEnumerable<JsonObject> rows) => File.WriteAllLines(TrainingFile, rows.Select(r => r.ToJsonString()));

    public TrainingResult Train(TrainingOptions options, RecordingObserver observer, string name = "run", TrainingControl? control = null, Action<string>? beforeOperation = null, string? initialAdapter = null, Action<int>? fetchCheckpoint = null, bool passesOverForeign = false)
    {
        var files = Files(name) with { InitialAdapterFolder = initialAdapter, FetchCheckpoint = fetchCheckpoint, PassesOverForeignCheckpoints = passesOverForeign };
        control ??= new TrainingControl();
        FineTuneRecipe recipe = options.Method == TrainingMethod.Full
            ? new FullRecipe(options, files, observer, control, TimeProvider.System) { BeforeCheckpointOperation = beforeOperation }
            : new LoraRecipe(options, files, observer, control, TimeProvider.System) { BeforeCheckpointOperation = beforeOperation };
        return recipe.Train();
    }

    public IReadOnlyList<double> Losses(TrainingOptions options, string name = "run")
    {
        var observer = new RecordingObserver();
        Train(options, observer, name);
        return observer.Losses;
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    // Every byte is a token, so that tests need no vocabulary file; the byte's printable stand-in is GPT-2's table.
    private void WriteTokenizer()
    {
        var vocabulary = new JsonObject();
        var shifted = 0;
        for (var b = 0; b < 256; b++)
        {
            var isPrintable = b is >= 33 and <= 126 or >= 161 and <= 172 or >= 174;
            vocabulary[((char)(isPrintable ? b : 256 + shifted++)).ToString()] = b;
        }

        var added = new JsonArray();
        foreach (var (id, content) in new[] { (256, "<s>"), (257, "</s>"), (258, "<pad>") })
        {
            vocabulary[content] = id;
            added.Add(new JsonObject
            {
                ["id"] = id, ["content"] = content, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false, ["special"] = true,
            });
        }

        var tokenizer = new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = added,
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true },
            ["post_processor"] = JsonNode.Parse("""
                {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                 "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [256], "tokens": ["<s>"]}}}
                """),
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = true, ["use_regex"] = true },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = new JsonArray() },
        };
        File.WriteAllText(Path.Combine(BaseModel, "tokenizer.json"), tokenizer.ToJsonString());
        File.WriteAllText(
            Path.Combine(BaseModel, "tokenizer_config.json"),
            """{"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "add_bos_token": true, "add_eos_token": false}""");
    }
}
