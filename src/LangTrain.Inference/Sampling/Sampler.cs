using System.Runtime.InteropServices;

namespace LangTrain.Inference.Sampling;

/// <summary>One row's way to its next token: penalties, filters and draws over a span of logits; allocates nothing for a token.</summary>
/// <remarks>Not thread-safe: the engine's loop thread owns it. The draws depend on the seed and the count of draws alone.</remarks>
internal sealed class Sampler
{
    /// <summary>From here on a draw from all tokens is likely enough to be in the nucleus that trying beats sorting.</summary>
    private const float LargeNucleus = 0.3f;

    private readonly SamplingOptions _options;
    private readonly KeyValuePair<int, float>[] _bias;
    // Times generated, by token; with a repetition penalty the prompt's tokens are in it too, with 0.
    private readonly Dictionary<int, int> _seen = [];
    private readonly bool _counts;
    private readonly bool _repetition;
    private TokenRandom _random;

    /// <summary>A sampler at the start of an answer.</summary>
    /// <param name="options">Validated options.</param>
    /// <param name="prompt">The prompt, which the repetition penalty looks at.</param>
    public Sampler(SamplingOptions options, ReadOnlySpan<int> prompt)
    {
        _options = options;
        _bias = options.LogitBias is { Count: > 0 } bias ? [.. bias] : [];
        _repetition = options.RepetitionPenalty != 1f;
        _counts = _repetition || options.FrequencyPenalty != 0f || options.PresencePenalty != 0f;
        _random = new TokenRandom((ulong)(options.Seed ?? Random.Shared.NextInt64()));
        if (_repetition)
        {
            foreach (var id in prompt)
                _seen.TryAdd(id, 0);
        }
    }

    /// <summary>Picks the next token. Call <see cref="Observe"/> with what was taken.</summary>
    /// <param name="logits">One logit a token; changed in place.</param>
    /// <param name="scratch">The engine's buffers, for the length of the call.</param>
    /// <returns>The token's id.</returns>
    public int Next(Span<float> logits, SamplerScratch scratch)
    {
        // 1. The logits themselves.
        foreach (var (id, bias) in _bias)
            logits[id] += bias;
        foreach (var (id, generated) in _seen)
            Penalize(ref logits[id], generated);
        if (_options.Temperature == 0f)
            return LogitMath.ArgMax(logits);

        // 2. Weights in place of probabilities: the most likely token has 1, and nothing needs dividing by their sum.
        var weights = scratch.Weights.AsSpan(0, logits.Length);
        LogitMath.Weights(logits, LogitMath.Max(logits), _options.Temperature, weights);

        // 3. Filters, then one draw over what is left.
        var draw = _random.NextDouble();
        var topK = _options.TopK > 0 && _options.TopK < weights.Length ? _options.TopK : 0;
        if (topK == 0 && _options.TopP >= 1f)
            return DrawFromAll(weights, draw);
        if (topK > 0)
            return DrawFromTopK(weights, topK, draw, scratch);
        return _options.TopP < LargeNucleus ? DrawFromNucleus(weights, draw, scratch) : DrawUntilInNucleus(weights, draw);
    }

    /// <summary>Counts a generated token for the penalties.</summary>
    public void Observe(int id)
    {
        if (_counts)
            CollectionsMarshal.GetValueRefOrAddDefault(_seen, id, out _)++;
    }

    // OpenAI: mu[j] - c[j] * frequency - (c[j] > 0) * presence, c counting generated tokens only.
    private void Penalize(ref float logit, int generated)
    {
        if (_repetition)
            logit = logit > 0f ? logit / _options.RepetitionPenalty : logit * _options.RepetitionPenalty;
        if (generated > 0)
            logit -= generated * _options.FrequencyPenalty + _options.PresencePenalty;
    }

    private int DrawFromAll(Span<float> weights, double draw)
    {
        if (_options.MinP > 0f)
        {
            foreach (ref var weight in weights)
                weight = weight >= _options.MinP ? weight : 0f;
        }
        const int Block = 1024; // Whole blocks are skipped by their sum.
        var left = draw * LogitMath.Sum(weights);
        var start = 0;
        for (; start + Block < weights.Length; start += Block)
        {
            var sum = LogitMath.Sum(weights.Slice(start, Block));
            if (left < sum)
                break;
            left -= sum;
        }
        var last = -1; // Rounding may leave a crumb: the last token of any weight takes it.
        for (var i = start; i < weights.Length; i++)
        {
            if (weights[i] == 0f)
                continue;
            last = i;
            if (left < weights[i])
                return i;
            left -= weights[i];
        }
        if (last >= 0)
            return last;
        for (last = start - 1; weights[last] == 0f; last--)
        {
        }
        return last;
    }

    private int DrawFromTopK(Span<float> weights, int topK, double draw, SamplerScratch scratch)
    {
        TopTokens.Largest(weights, topK, scratch.Keys);
        var kept = scratch.Keys.AsSpan(0, topK);
        double total = 0;
        foreach (var key in kept)
            total += TopTokens.ValueOf(key);
        var floor = MathF.Max(_options.MinP, float.Epsilon); // A masked token has weight 0 and is never kept.
        var (count, sum) = (0, 0.0);
        while (count < kept.Length && sum < _options.TopP * total && TopTokens.ValueOf(kept[count]) >= floor)
            sum += TopTokens.ValueOf(kept[count++]);
        return Draw(kept[..count], draw * sum);
    }

    // A token is in the nucleus when the tokens before it in order hold less than p of the mass. That is one sweep for the token that was drawn,
    // and nothing has to be sorted; a draw that fell outside is made again, which leaves the nucleus' own distribution.
    private int DrawUntilInNucleus(Span<float> weights, double draw)
    {
        var limit = _options.TopP * LogitMath.Sum(weights);
        while (true)
        {
            var id = DrawFromAll(weights, draw); // What min-p takes away lies behind all that it leaves: the mass before a token stays.
            if (LogitMath.SumBefore(weights, id) < limit)
                return id;
            draw = _random.NextDouble();
        }
    }

    private int DrawFromNucleus(Span<float> weights, double draw, SamplerScratch scratch)
    {
        // A token below (1 - p) / V of the mass cannot be in the nucleus: all tokens after it together would not make up the 1 - p outside.
        var total = LogitMath.Sum(weights);
        var bound = (float)((1.0 - _options.TopP) * total / weights.Length * 0.999);
        var heap = TopTokens.Gather(weights, MathF.Max(bound, _options.MinP), scratch.Keys);
        // What is popped goes to the end that the shrinking heap leaves free, best last.
        var keys = scratch.Keys.AsSpan(0, heap.Length);
        double sum = 0;
        while (heap.Length > 0 && sum < _options.TopP * total)
        {
            var best = TopTokens.Pop(ref heap);
            keys[heap.Length] = best;
            sum += TopTokens.ValueOf(best);
        }
        var kept = keys[heap.Length..];
        kept.Reverse();
        return Draw(kept, draw * sum);
    }

    private static int Draw(ReadOnlySpan<ulong> keys, double left)
    {
        foreach (var key in keys)
        {
            var weight = TopTokens.ValueOf(key);
            if (left < weight)
                return TopTokens.IdOf(key);
            left -= weight;
        }
        return TopTokens.IdOf(keys[^1]);
    }
}
