using LangTrain.Modeling;

namespace LangTrain.Inference.Engine;

/// <summary>One row's part in a step. Reused from step to step, so that a step allocates nothing.</summary>
internal sealed class StepRow
{
    /// <summary>The row that this part belongs to.</summary>
    public required GenerationRow Owner { get; init; }

    /// <summary>The cache slot.</summary>
    public int Slot { get; set; }

    /// <summary>Tokens that the slot holds before the step; the first new token's position.</summary>
    public int Position { get; set; }

    /// <summary>New tokens to feed, from <see cref="Position"/> on.</summary>
    public int Count { get; set; }

    /// <summary>True when the logits of every new token are wanted, not of the last alone.</summary>
    public bool AllLogits { get; set; }

    /// <summary>True when any logits are wanted; false for a chunk in the middle of a prompt.</summary>
    public bool LastLogits { get; set; }

    /// <summary>New tokens.</summary>
    public ReadOnlySpan<int> Tokens => Owner.Tokens.Slice(Position, Count);

    /// <summary>Adapter of the row.</summary>
    public LoraAdapter? Adapter => Owner.Request.Adapter;
}
