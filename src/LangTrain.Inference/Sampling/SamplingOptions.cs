namespace LangTrain.Inference;

/// <summary>How one row picks its next token. Immutable; defaults are OpenAI's.</summary>
/// <remarks>
/// Order of work on a row's logits: <see cref="LogitBias"/>, <see cref="RepetitionPenalty"/>, frequency and presence penalties,
/// temperature, <see cref="TopK"/>, <see cref="TopP"/> over what top-k left, <see cref="MinP"/>, one draw.
/// </remarks>
public sealed record SamplingOptions
{
    /// <summary>Divides the logits; 0 is greedy (ties go to the lowest token id). 0 to 2, default 1.</summary>
    public float Temperature { get; init; } = 1f;

    /// <summary>Keeps the smallest set of most likely tokens whose probabilities sum to at least this. Above 0, at most 1 (off).</summary>
    public float TopP { get; init; } = 1f;

    /// <summary>Keeps the most likely tokens, this many; 0 is off.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps tokens at least this times as likely as the most likely one; 0 (off) to 1.</summary>
    public float MinP { get; init; }

    /// <summary>Taken from a token's logit once for each time it was generated. -2 to 2.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Taken from a token's logit when it was generated at all. -2 to 2.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens in prompt or answer; 1 is off. Above 0. arXiv:1909.05858, section 4.1.</summary>
    public float RepetitionPenalty { get; init; } = 1f;

    /// <summary>Added to the logits of single tokens, -100 to 100, by token id.</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>Seed of the row's own random numbers; the same seed gives the same text whatever else is in the batch. Null draws one.</summary>
    public long? Seed { get; init; }

    /// <summary>Greedy decoding.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0f };

    /// <summary>Refuses values outside their ranges.</summary>
    /// <param name="vocabularySize">Size of the model's vocabulary, the bound of token ids in <see cref="LogitBias"/>.</param>
    /// <exception cref="GenerationParameterException">A value is outside its range; names the parameter as it is spelled on the wire.</exception>
    public void Validate(int vocabularySize)
    {
        Within(Temperature, 0f, 2f, "temperature");
        Within(FrequencyPenalty, -2f, 2f, "frequency_penalty");
        Within(PresencePenalty, -2f, 2f, "presence_penalty");
        Within(MinP, 0f, 1f, "min_p");
        if (!(TopP > 0f && TopP <= 1f))
            throw new GenerationParameterException("top_p", $"top_p is {TopP}; it must be above 0 and at most 1.");
        if (TopK < 0)
            throw new GenerationParameterException("top_k", $"top_k is {TopK}; it must be 0 (off) or more.");
        if (!(RepetitionPenalty > 0f) || float.IsInfinity(RepetitionPenalty))
            throw new GenerationParameterException("repetition_penalty", $"repetition_penalty is {RepetitionPenalty}; it must be above 0.");
        foreach (var (id, bias) in LogitBias ?? new Dictionary<int, float>())
        {
            if (id < 0 || id >= vocabularySize)
                throw new GenerationParameterException("logit_bias", $"logit_bias names token {id}; the model's tokens are 0 to {vocabularySize - 1}.");
            Within(bias, -100f, 100f, "logit_bias");
        }
    }

    private static void Within(float value, float low, float high, string parameter)
    {
        if (!(value >= low && value <= high))
            throw new GenerationParameterException(parameter, $"{parameter} is {value}; it must be from {low} to {high}.");
    }
}
