namespace LangTrain.Contracts.FineTunes;

/// <summary>Low-rank adapter (arXiv:2106.09685).</summary>
public sealed record LoraConfig
{
    /// <summary>Rank, 1 to 512.</summary>
    public int R { get; init; } = 16;

    /// <summary>Scaling numerator, greater than 0; the term is scaled by alpha/r (rsLoRA: alpha/sqrt(r)).</summary>
    public double Alpha { get; init; } = 32;

    /// <summary>Dropout on the adapter's input, 0 to below 1.</summary>
    public double Dropout { get; init; }

    /// <summary>Linear layers by the last part of their name (<c>q_proj</c>), or the one word <c>all-linear</c>.</summary>
    public IReadOnlyList<string> TargetModules { get; init; } = ["q_proj", "k_proj", "v_proj", "o_proj"];

    /// <summary>Rank-stabilised scaling (arXiv:2312.03732).</summary>
    public bool UseRslora { get; init; }

    /// <summary>Weight-decomposed adaptation (arXiv:2402.09353).</summary>
    public bool UseDora { get; init; }
}
