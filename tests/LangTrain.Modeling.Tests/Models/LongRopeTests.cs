using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

/// <summary>Longrope turns every token of a sequence by the long factors once it is longer than the original context (10 tokens here): what was cached before must follow.</summary>
public sealed class LongRopeTests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();
    private readonly DecoderModel _model = DecoderModel.Load(Path.Combine(AppContext.BaseDirectory, "Reference", "hf_phi3_long"));
    private readonly Tensor _ids = Some.Ids(1, 24, vocabulary: 40);

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Decoding_over_the_border_equals_the_full_forward_of_each_length()
    {
        using var cache = new KeyValueCache(_model, 3, 32);
        using LoraAdapter adapter = Some.Adapter(_model);
        AdapterSelection adapters = AdapterSelection.PerRow([adapter, null]);
        Tensor other = Some.Ids(1, 24, seed: 8, vocabulary: 40);
        int[] rows = [2, 0];

        // Row 2 starts with 8 tokens and an adapter, row 0 with 3 and without: they cross in different steps of one batch.
        Some.Logits(_model, cat([_ids, other]).narrow(1, 0, 8), new ForwardPass { Cache = cache, CacheRows = rows, TokenCounts = [8, 3], Adapters = adapters });
        for (int step = 0; step < 10; step++)
        {
            Tensor next = cat([_ids.narrow(1, 8 + step, 1), other.narrow(1, 3 + step, 1)]);
            Tensor made = Some.Logits(_model, next, new ForwardPass { Cache = cache, CacheRows = rows, Adapters = adapters });
            Some.Close(Some.Logits(_model, _ids.narrow(1, 0, 9 + step), new ForwardPass { Adapters = AdapterSelection.All(adapter) }).narrow(1, 8 + step, 1), made.narrow(0, 0, 1), 2e-5);
            Some.Close(Some.Logits(_model, other.narrow(1, 0, 4 + step)).narrow(1, 3 + step, 1), made.narrow(0, 1, 1), 2e-5);
        }
    }

    [Fact]
    public void A_prefix_of_a_long_row_serves_a_short_one_and_back()
    {
        using var cache = new KeyValueCache(_model, 2, 32);
        Some.Logits(_model, _ids.narrow(1, 0, 16), new ForwardPass { Cache = cache });
        cache.Copy(0, 1, 6);
        cache.Truncate(0, 9);
        Tensor two = Some.Logits(_model, _ids.narrow(1, 6, 2), new ForwardPass { Cache = cache, CacheRows = [1] });
        Some.Close(Some.Logits(_model, _ids.narrow(1, 0, 8)).narrow(1, 6, 2), two, 2e-5);
        Tensor five = Some.Logits(_model, _ids.narrow(1, 9, 5), new ForwardPass { Cache = cache });
        Some.Close(Some.Logits(_model, _ids.narrow(1, 0, 14)).narrow(1, 9, 5), five, 2e-5);
        Assert.Equal([14, 8], new[] { cache.Length(0), cache.Length(1) });
    }

    [Fact]
    public void Packed_sequences_are_each_turned_by_their_own_length()
    {
        Tensor longer = _ids.narrow(1, 0, 15), shorter = _ids.narrow(1, 15, 9);
        Tensor segments = cat([full([1, 15], 1L), full([1, 9], 2L)], 1), positions = cat([arange(15), arange(9)]).unsqueeze(0);
        Tensor packed = Some.Logits(_model, _ids, new ForwardPass { Segments = segments, Positions = positions });
        Some.Close(Some.Logits(_model, longer), packed.narrow(1, 0, 15), 2e-5);
        Some.Close(Some.Logits(_model, shorter), packed.narrow(1, 15, 9), 2e-5);
    }
}
