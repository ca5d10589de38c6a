using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

/// <summary>Adapters that Hugging Face PEFT wrote, against its own logits: <c>Reference/make_peft_references.py</c>.</summary>
public sealed class PeftReferenceTests : IDisposable
{
    // Transformers turns by tables in float32 also in a float64 model.
    private const double Tolerance = 3e-6;
    private readonly DisposeScopeOfTest _scope = new();

    public static TheoryData<string> Bases => [.. Directory.GetDirectories(Path.Combine(AppContext.BaseDirectory, "Reference"), "peft_*").Select(folder => Path.GetFileName(folder)["peft_".Length..]).Order()];

    public void Dispose() => _scope.Dispose();

    [Theory]
    [MemberData(nameof(Bases))]
    public void Logits_are_those_of_PEFT_and_so_are_those_of_the_adapter_saved_again_and_of_the_merged_model(string name)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder("peft_" + name), "golden.json")));
        Tensor ids = tensor([.. json.RootElement.GetProperty("ids").EnumerateArray().Select(id => id.GetInt64())]).unsqueeze(0);
        Tensor golden = tensor([.. json.RootElement.GetProperty("logits").EnumerateArray().SelectMany(row => row.EnumerateArray().Select(value => value.GetDouble()))]).view(1, ids.shape[1], -1);
        using DecoderModel model = DecoderModel.Load(Folder(name), new ModelLoadOptions { Dtype = ScalarType.Float64 });
        using LoraAdapter adapter = LoraAdapter.LoadPeft(Folder("peft_" + name), model);
        Some.Close(golden, Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.All(adapter) }), Tolerance);

        using TemporaryFolder again = Some.Folder(), merged = Some.Folder();
        adapter.SavePeft(again.Path, name);
        using LoraAdapter loaded = LoraAdapter.LoadPeft(again.Path, model);
        Some.Close(golden, Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.All(loaded) }), Tolerance);

        // Python looks for a matrix beside every module that the targets mean: there has to be one for each, and for no other.
        string[] targets = [.. JsonNode.Parse(File.ReadAllText(again.File("adapter_config.json")))!["target_modules"]!.AsArray().Select(target => (string)target!)];
        Assert.Equal(adapter.Modules, model.Linears.Keys.Where(module => targets.Any(target => module == target || module.EndsWith("." + target, StringComparison.Ordinal))));

        model.SaveMerged(merged.Path, adapter);
        using DecoderModel whole = DecoderModel.Load(merged.Path, new ModelLoadOptions { Dtype = ScalarType.Float64 });
        Some.Close(golden, Some.Logits(whole, ids), Tolerance);
    }

    private static string Folder(string name) => Path.Combine(AppContext.BaseDirectory, "Reference", name);
}
