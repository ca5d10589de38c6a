using System.Text.Json;
using System.Text.Json.Nodes;
using LangTrain.Modeling;
using LangTrain.Training.Optimization;
using static TorchSharp.torch;

namespace LangTrain.Training.Tests.Recipes;

/// <summary>
/// Whole runs beside those of plain PyTorch in float64, step by step: losses, gradient norms, learning rates and the weights at the end. The expected numbers were
/// made by <c>Reference/make_reference_runs.py</c>, which shares nothing with this library: merged weights, autograd, one example at a time.
/// </summary>
public sealed class ReferenceRunTests : IDisposable
{
    private static readonly JsonObject Reference = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Reference", "reference_runs.json")))!.AsObject();
    private readonly SmallRun _run = new(ModelConfig.ForLlama(
        vocabularySize: 259, hiddenSize: 32, layerCount: 2, queryHeads: 4, keyValueHeads: 2, feedForwardSize: 48, contextLength: 128, tieEmbeddings: false, bosTokenId: 256, eosTokenId: 257));

    public static TheoryData<string, bool> Runs => [.. Reference["runs"]!.AsObject().SelectMany(run =>
        run.Value!["settings"]!["beta"] is null ? new (string, bool)[] { (run.Key, false), (run.Key, true) } : [(run.Key, false)])];

    [Theory]
    [MemberData(nameof(Runs))]
    public void Every_step_is_that_of_the_reference(string name, bool packing)
    {
        var run = Reference["runs"]![name]!;
        var (rows, settings, expected) = ((string)run["rows"]!, run["settings"]!, run["expected"]!);
        _run.WriteRows(Reference["rows"]![rows]!.AsArray().Select(row => row!.AsObject()));
        File.WriteAllText(Path.Combine(_run.BaseModel, "chat_template.jinja"),
            "{% for message in messages %}[{{ message.role }}]{{ message.content }}</s>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}");
        WriteBase();
        var options = Options(rows, settings) with { Packing = packing };
        var initial = settings["lora"] is null ? null : WriteAdapter(options);
        var observer = new RecordingObserver();
        var result = _run.Train(options, observer, initialAdapter: initial);

        AssertClose(expected["losses"]!, observer.Losses);
        AssertClose(expected["norms"]!, [.. observer.Metrics.Select(m => m.GradientNorm)]);
        AssertClose(expected["learning_rates"]!, [.. observer.Metrics.Select(m => m.LearningRate)]);
        if (options.Objective == TrainingObjective.Dpo)
        {
            // Differences of log-probabilities of about 50, which begin at nothing.
            AssertClose(expected["margins"]!, [.. observer.Metrics.Select(m => m.RewardMargin!.Value)], least: 0.5);
        }

        using var file = SafetensorsFile.Open(Directory.GetFiles(result.OutputFolder!, "*.safetensors").Single());
        var weights = expected["weights"]!.AsObject();
        Assert.Equal(weights.Select(weight => weight.Key).Order(), file.Entries.Select(entry => entry.Name).Order());
        foreach (var (key, numbers) in weights)
        {
            using var scope = NewDisposeScope();
            var value = file.View(key).to_type(ScalarType.Float64);
            var norm = (double)numbers![0]!;
            Assert.Equal(norm, value.norm().item<double>(), 1e-5 * norm);
            Assert.Equal((double)numbers[1]!, (value * Numbers("probe", value.shape, 1)).sum().item<double>(), 1e-5 * norm);
        }
    }

    public void Dispose() => _run.Dispose();

    private static TrainingOptions Options(string rows, JsonNode settings) => new()
    {
        Method = settings["lora"] is null ? TrainingMethod.Full : TrainingMethod.Lora,
        Objective = rows switch { "pairs" => TrainingObjective.Dpo, "texts" => TrainingObjective.Text, _ => TrainingObjective.Sft },
        Lora = settings["lora"] is not { } lora ? new() : new()
        {
            Rank = (int)lora["r"]!, Alpha = (double)lora["alpha"]!, UseRslora = (bool)lora["rslora"]!, UseDora = (bool)lora["dora"]!,
            TargetModules = lora["targets"] is JsonArray targets ? [.. targets.Select(target => (string)target!)] : [(string)lora["targets"]!],
        },
        // Three micro-batches of unlike sizes hold all examples: 5, 5 and 2 rows of twelve, or the windows of the texts.
        BatchSize = rows == "texts" ? 16 : 5,
        GradientAccumulationSteps = 3,
        Epochs = (int)settings["steps"]!,
        LearningRate = (double)settings["learning_rate"]!,
        LearningRateDecay = JsonSerializer.Deserialize<LearningRateDecay>(settings["decay"]!),
        WarmupSteps = (int)settings["warmup_steps"]!,
        WeightDecay = (double)settings["weight_decay"]!,
        MaxGradientNorm = (double)settings["max_gradient_norm"]!,
        MaxSequenceLength = (int)settings["max_sequence_length"]!,
        LossOn = (string)settings["loss_on"]! == "all" ? LossOn.All : LossOn.Completion,
        Beta = (double?)settings["beta"],
    };

    private void WriteBase()
    {
        using var model = DecoderModel.Load(_run.BaseModel);
        using var frozen = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
        {
            using var scope = NewDisposeScope();
            parameter.copy_(parameter.dim() == 1 ? 1 + Numbers(name, parameter.shape, 0.25) : Numbers(name, parameter.shape, 0.3));
        }

        model.Save(_run.BaseModel, ScalarType.Float32);
    }

    private string WriteAdapter(TrainingOptions options)
    {
        using var model = DecoderModel.Load(_run.BaseModel);
        using var adapter = LoraAdapter.Create(model, options.Lora, seed: 1);
        using var frozen = no_grad();
        foreach (var (name, parameter) in adapter.named_parameters())
        {
            using var scope = NewDisposeScope();
            parameter.copy_(parameter.dim() == 1 ? 1 + Numbers(name, parameter.shape, 0.5) : Numbers(name, parameter.shape, 0.2));
        }

        var folder = Path.Combine(_run.Root, "initial");
        adapter.SavePeft(folder, "test/small");
        return folder;
    }

    /// <summary>The numbers that the script makes of a name and a place, exact in both languages: FNV-1a, then two rounds of mixing.</summary>
    private static Tensor Numbers(string name, long[] shape, double scale)
    {
        var seed = System.Text.Encoding.UTF8.GetBytes(name).Aggregate(2166136261u, (hash, one) => (hash ^ one) * 16777619u);
        var values = new float[shape.Aggregate(1L, (product, side) => product * side)];
        for (var i = 0u; i < values.Length; i++)
        {
            var h = (i + 1) * 2654435761u + seed;
            h = (h ^ (h >> 15)) * 2246822519u;
            h = (h ^ (h >> 13)) * 3266489917u;
            h ^= h >> 16;
            values[i] = (float)((h / 4294967296.0 - 0.5) * 2 * scale);
        }

        return tensor(values, shape);
    }

    private static void AssertClose(JsonNode expected, IReadOnlyList<double> actual, double least = 0)
    {
        double[] values = [.. expected.AsArray().Select(value => (double)value!)];
        Assert.Equal(values.Length, actual.Count);
        Assert.All(values.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5 * Math.Max(Math.Abs(pair.First), least)));
    }
}
