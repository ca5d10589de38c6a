using LangTrain.Inference.Sampling;

namespace LangTrain.Inference.Tests.Sampling;

public class SamplerTests
{
    [Fact]
    public void Greedy_takes_the_lowest_id_of_equals()
    {
        var logits = Noise(1000, seed: 1);
        logits[707] = logits[333] = logits[999] = 50;
        Assert.Equal(333, Next(logits, SamplingOptions.Greedy));
    }

    [Fact]
    public void Frequency_and_presence_penalties_follow_the_published_formula()
    {
        // mu[j] - c[j] * frequency - (c[j] > 0) * presence, over generated tokens; the prompt does not count.
        var sampler = new Sampler(new SamplingOptions { Temperature = 0, FrequencyPenalty = 0.5f, PresencePenalty = 0.25f }, [3, 3, 3]);
        foreach (var id in new[] { 7, 7, 2 })
            sampler.Observe(id);
        var logits = new float[10];
        sampler.Next(logits, new SamplerScratch(10));
        Assert.Equal([0, 0, -0.75f, 0, 0, 0, 0, -1.25f, 0, 0], logits);
    }

    [Fact]
    public void Repetition_penalty_divides_positive_and_multiplies_negative_logits_of_prompt_and_answer()
    {
        var sampler = new Sampler(new SamplingOptions { Temperature = 0, RepetitionPenalty = 2f }, [1]);
        sampler.Observe(2);
        float[] logits = [4, 4, -4, -4];
        sampler.Next(logits, new SamplerScratch(4));
        Assert.Equal([4, 2, -8, -4], logits);
    }

    [Fact]
    public void Logit_bias_forbids_and_forces()
    {
        var logits = Noise(100, seed: 2);
        var best = Array.IndexOf(logits, logits.Max());
        Assert.NotEqual(best, Next([.. logits], SamplingOptions.Greedy with { LogitBias = new Dictionary<int, float> { [best] = -100 } }));
        Assert.Equal(11, Next([.. logits], new SamplingOptions { LogitBias = new Dictionary<int, float> { [11] = 100 } }));
    }

    [Theory]
    [InlineData(1f, 1f, 0, 0f)]
    [InlineData(0.7f, 1f, 0, 0f)]
    [InlineData(1f, 0.6f, 0, 0f)]
    [InlineData(1f, 0.2f, 0, 0f)]
    [InlineData(0.8f, 0.28f, 0, 0.4f)]
    [InlineData(1.3f, 0.9f, 5, 0f)]
    [InlineData(1f, 1f, 3, 0f)]
    [InlineData(1f, 1f, 0, 0.3f)]
    [InlineData(1f, 0.95f, 0, 0.2f)]
    [InlineData(1f, 0.9f, 9, 0.1f)]
    public void Draws_follow_the_filtered_distribution(float temperature, float topP, int topK, float minP)
    {
        var logits = Noise(37, seed: 3); // Not a multiple of any vector's width.
        var expected = Reference(logits, temperature, topP, topK, minP);
        var sampler = new Sampler(new SamplingOptions { Temperature = temperature, TopP = topP, TopK = topK, MinP = minP, Seed = 5 }, []);
        var scratch = new SamplerScratch(logits.Length);
        const int Draws = 40_000;
        var counts = new int[logits.Length];
        for (var i = 0; i < Draws; i++)
            counts[sampler.Next((float[])logits.Clone(), scratch)]++;
        for (var i = 0; i < logits.Length; i++)
        {
            Assert.True(expected[i] > 0 || counts[i] == 0, $"token {i} is filtered out and was drawn");
            Assert.Equal(expected[i], counts[i] / (double)Draws, 5 * Math.Sqrt(expected[i] * (1 - expected[i]) / Draws) + 1e-9);
        }
    }

    [Theory]
    [InlineData(0.5f)]
    [InlineData(0.1f)]
    public void A_large_vocabulary_draws_from_its_nucleus_only(float topP)
    {
        var logits = Noise(50_021, seed: 4);
        var expected = Reference(logits, 1f, topP, 0, 0f);
        var sampler = new Sampler(new SamplingOptions { TopP = topP, Seed = 1 }, []);
        var scratch = new SamplerScratch(logits.Length);
        var drawn = Enumerable.Range(0, 200).Select(_ => sampler.Next((float[])logits.Clone(), scratch)).ToList();
        Assert.All(drawn, id => Assert.True(expected[id] > 0));
        Assert.True(drawn.Distinct().Count() > 50);
    }

    [Fact]
    public void Equal_tokens_at_the_nucleus_edge_count_from_the_lowest_id()
    {
        // All alike: 0.35 of the mass is the first 35.
        var sampler = new Sampler(new SamplingOptions { TopP = 0.35f, Seed = 1 }, []);
        var scratch = new SamplerScratch(100);
        var drawn = Enumerable.Range(0, 2000).Select(_ => sampler.Next(new float[100], scratch)).ToHashSet();
        Assert.Equal(Enumerable.Range(0, 35), drawn.Order());
    }

    [Fact]
    public void Masked_tokens_are_never_drawn()
    {
        var logits = Enumerable.Repeat(float.NegativeInfinity, 64).ToArray();
        logits[40] = -3;
        logits[41] = -4;
        foreach (var options in new[] { new SamplingOptions(), new SamplingOptions { TopK = 10 }, new SamplingOptions { TopP = 0.999f }, SamplingOptions.Greedy })
        {
            for (var seed = 0; seed < 200; seed++)
                Assert.InRange(Next((float[])logits.Clone(), options with { Seed = seed }), 40, 41);
        }
    }

    [Fact]
    public void Largest_orders_by_value_then_id()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var values = Noise(20 + seed * 7, seed);
            for (var i = 0; i < values.Length; i++)
                values[i] = MathF.Round(values[i]); // Many ties, both signs and zero.
            var keys = new ulong[values.Length];
            TopTokens.Largest(values, 11, keys);
            Assert.Equal(
                values.Select((v, id) => (v, id)).OrderByDescending(p => p.v).ThenBy(p => p.id).Take(11).Select(p => p.id),
                keys.Take(11).Select(TopTokens.IdOf));
        }
    }

    [Fact]
    public void Sampling_a_token_allocates_nothing()
    {
        var logits = Noise(5000, seed: 6);
        var scratch = new SamplerScratch(5000);
        var sampler = new Sampler(new SamplingOptions { TopP = 0.9f, TopK = 40, FrequencyPenalty = 0.1f, Seed = 1 }, []);
        var work = new float[5000];
        Step();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            Step();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Step()
        {
            logits.CopyTo(work, 0);
            sampler.Observe(sampler.Next(work, scratch) % 3);
        }
    }

    [Theory]
    [InlineData("temperature", 2.1f, 1f, 0)]
    [InlineData("temperature", float.NaN, 1f, 0)]
    [InlineData("top_p", 1f, 0f, 0)]
    [InlineData("top_k", 1f, 1f, -1)]
    public void Values_out_of_range_are_refused_by_name(string parameter, float temperature, float topP, int topK)
    {
        var options = new SamplingOptions { Temperature = temperature, TopP = topP, TopK = topK };
        Assert.Equal(parameter, Assert.Throws<GenerationParameterException>(() => options.Validate(10)).Parameter);
    }

    private static int Next(float[] logits, SamplingOptions options) => new Sampler(options, []).Next(logits, new SamplerScratch(logits.Length));

    private static float[] Noise(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 6 - 3))];
    }

    // The same filters written plainly: sort everything, cut, renormalize.
    private static double[] Reference(float[] logits, float temperature, float topP, int topK, float minP)
    {
        var max = logits.Max();
        var sorted = logits.Select((l, id) => (Weight: Math.Exp((l - max) / temperature), Id: id)).OrderByDescending(p => p.Weight).ThenBy(p => p.Id).ToList();
        if (topK > 0)
            sorted = sorted[..Math.Min(topK, sorted.Count)];
        var total = sorted.Sum(p => p.Weight);
        var kept = new List<(double Weight, int Id)>();
        var sum = 0.0;
        foreach (var p in sorted)
        {
            if (sum >= topP * total)
                break;
            kept.Add(p);
            sum += p.Weight;
        }
        kept.RemoveAll(p => p.Weight < minP);
        var probabilities = new double[logits.Length];
        foreach (var (weight, id) in kept)
            probabilities[id] = weight / kept.Sum(p => p.Weight);
        return probabilities;
    }
}
