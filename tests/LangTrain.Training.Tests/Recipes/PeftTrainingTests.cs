using System.Text.Json.Nodes;
using LangTrain.Modeling;
using LangTrain.Training.Batches;
using LangTrain.Training.Optimization;
using LangTrain.Training.Recipes;
using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Training.Tests.Recipes;

/// <summary>
/// Steps of every family beside those of Hugging Face transformers and PEFT in float64: adapters in every form that PEFT writes, and all weights. The expected
/// numbers were made by <c>LangTrain.Modeling.Tests/Reference/make_peft_references.py</c>, one example at a time; here the examples come in padded or packed rows.
/// </summary>
public sealed class PeftTrainingTests : IDisposable
{
    private static readonly string Reference = Path.Combine(AppContext.BaseDirectory, "Reference");
    private readonly DisposeScope _scope = NewDisposeScope();

    public static TheoryData<string, TrainingMethod, bool> Runs =>
    [
        .. from folder in Directory.GetDirectories(Reference, "peft_*").Order()
           from method in (TrainingMethod[])[TrainingMethod.Lora, TrainingMethod.Full]
           from packing in (bool[])[false, true]
           select (Path.GetFileName(folder)["peft_".Length..], method, packing),
    ];

    public void Dispose() => _scope.Dispose();

    [Theory]
    [MemberData(nameof(Runs))]
    public void Every_step_is_that_of_transformers_and_PEFT(string name, TrainingMethod method, bool packing)
    {
        var golden = JsonNode.Parse(File.ReadAllText(Path.Combine(Reference, "peft_" + name, "golden.json")))!;
        using var trainee = Prepare(name, method);
        var examples = new InMemoryExamples([.. golden["rows"]!.AsArray().Select(row => Example(row!))]);
        int[][][] microBatches = packing ? [[[0, 1], [2, 3]], [[4, 5]]] : [[[0], [1], [2], [3]], [[4], [5]]];
        var terms = Enumerable.Range(0, examples.Count).Sum(examples.TrainedTokensOf);
        using var optimizer = new AdamW(trainee.Parameters, new(0.9, 0.999, 1e-8, (double)golden["weight_decay"]!));
        using var dropout = new Generator(1);
        var expected = golden[method == TrainingMethod.Full ? "full" : "adapter"]!;
        foreach (var (loss, norm) in expected["losses"]!.AsArray().Zip(expected["norms"]!.AsArray()))
        {
            using var scope = NewDisposeScope();
            var sum = microBatches.Sum(rows => trainee.Accumulate(MicroBatch.Build(rows, examples, CPU), 1.0 / terms, dropout).item<double>());
            var measured = (double)GradientClip.Norm(trainee.Parameters).item<float>();
            Assert.Equal((double)loss!, sum / terms, 1e-5 * (double)loss!);
            Assert.Equal((double)norm!, measured, 5e-5 * (double)norm!);
            GradientClip.Clip(trainee.Parameters, measured, (double)golden["max_gradient_norm"]!);
            optimizer.Step((double)golden["learning_rate"]!);
            optimizer.ClearGradients();
        }
    }

    private static Trainee Prepare(string name, TrainingMethod method)
    {
        var (baseModel, adapter) = (Path.Combine(Reference, name), Path.Combine(Reference, "peft_" + name));
        var options = new TrainingOptions { Method = method };
        var files = new TrainingFiles { BaseModelFolder = baseModel, BaseModelName = name, TrainingFile = "", CheckpointFolder = "", OutputFolder = "" };
        return method == TrainingMethod.Full
            ? FullRecipe.Prepare(options, files)
            : LoraRecipe.Prepare(options with { Lora = LoraAdapter.ReadPeftOptions(adapter, ModelConfig.Read(baseModel)) }, files with { InitialAdapterFolder = adapter });
    }

    private static TokenizedExample Example(JsonNode row)
    {
        int[] ids = [.. row["ids"]!.AsArray().Select(id => (int)id!)];
        return new(ids, [.. ids.Select((_, i) => i >= (int)row["first"]!)]);
    }
}
