namespace LangTrain.Inference.Structured;

/// <summary>The tokens that a state allows.</summary>
/// <param name="Allowed">One bit a token.</param>
/// <param name="WorstMinBytes">The longest way to an end that any of them leaves, in bytes; while the budget is above it, no token can spoil the end.</param>
/// <param name="Any">True when any token is allowed.</param>
internal sealed record TokenMask(ulong[] Allowed, int WorstMinBytes, bool Any)
{
    /// <summary>Sets the logits of all other tokens to -infinity.</summary>
    public void Apply(Span<float> logits)
    {
        for (var word = 0; word < Allowed.Length; word++)
        {
            var bits = Allowed[word];
            var part = logits[(word * 64)..Math.Min(word * 64 + 64, logits.Length)];
            if (bits == 0)
            {
                part.Fill(float.NegativeInfinity);
                continue;
            }
            if (bits == ulong.MaxValue)
                continue;
            for (var i = 0; i < part.Length; i++)
            {
                if ((bits >> i & 1) == 0)
                    part[i] = float.NegativeInfinity;
            }
        }
    }
}
