namespace LangTrain.Contracts.FineTunes;

/// <summary>How to train, with every default filled in: what stands on a job and what a worker follows.</summary>
/// <remarks>A request's own <c>config</c> may leave anything out; Core fills it in and checks the ranges.</remarks>
public sealed record FineTuneConfig
{
    /// <summary><c>lora</c>, <c>qlora</c> or <c>full</c>.</summary>
    public string Method { get; init; } = "lora";

    /// <summary><c>sft</c>, <c>text</c> or <c>dpo</c>.</summary>
    public string Objective { get; init; } = "sft";

    /// <summary>DPO's beta; used with <c>dpo</c> only.</summary>
    public double Beta { get; init; } = 0.1;

    /// <summary>The adapter; ignored by <c>full</c>.</summary>
    public LoraConfig LoraConfig { get; init; } = new();

    /// <summary>The loop.</summary>
    public TrainingConfig TrainingConfig { get; init; } = new();
}
