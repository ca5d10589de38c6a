using System.Globalization;
using LangTrain.Modeling;
using LangTrain.Training;

namespace LangTrain.Benchmarks;

/// <summary>One case of <see cref="MemoryCheck"/>.</summary>
/// <param name="Shape">Of the model.</param>
/// <param name="Method">What learns.</param>
/// <param name="Rows">B; of preferences both answers.</param>
/// <param name="Length">T.</param>
/// <param name="Words">What is not as usual: <c>checkpointing</c>, <c>bf16</c>, <c>dpo</c>, <c>all</c> linear layers and not attention's only, <c>dora</c>, <c>dropout</c>.</param>
/// <param name="Numbers"><c>r</c> of the adapter (16), examples <c>packed</c> into a row (1), micro-batches that <c>accumulate</c> (1).</param>
internal sealed record MemoryCase(string Shape, string Method, int Rows, int Length, IReadOnlySet<string> Words, IReadOnlyDictionary<string, int> Numbers)
{
    public int ExamplesPerRow => Numbers.GetValueOrDefault("packed", 1);

    /// <summary>Reads such as <c>15m lora 4x256 r=64 all</c>.</summary>
    public static MemoryCase Parse(string text)
    {
        var parts = text.Split(' ');
        var size = parts[2].Split('x');
        var pairs = parts[3..].Where(part => part.Contains('=', StringComparison.Ordinal)).Select(part => part.Split('='));
        return new MemoryCase(parts[0], parts[1], Number(size[0]), Number(size[1]), parts[3..].ToHashSet(), pairs.ToDictionary(pair => pair[0], pair => Number(pair[1])));
    }

    public TrainingOptions Options(ModelConfig config) => new()
    {
        Method = Enum.Parse<TrainingMethod>(Method, ignoreCase: true),
        Objective = Words.Contains("dpo") ? TrainingObjective.Dpo : TrainingObjective.Sft,
        ActivationCheckpointing = Words.Contains("checkpointing"),
        ComputeDtype = Words.Contains("bf16") ? ComputeDtype.BFloat16 : ComputeDtype.Float32,
        Packing = ExamplesPerRow > 1,
        GradientAccumulationSteps = Numbers.GetValueOrDefault("accumulate", 1),
        Lora = new LoraOptions
        {
            Rank = Numbers.GetValueOrDefault("r", 16), Alpha = 32, UseDora = Words.Contains("dora"), Dropout = Words.Contains("dropout") ? 0.1 : 0,
            TargetModules = Words.Contains("all") ? [LoraOptions.AllLinear] : config.ModelType == "gpt2" ? ["c_attn", "c_proj"] : ["q_proj", "k_proj", "v_proj", "o_proj"],
        },
    };

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
