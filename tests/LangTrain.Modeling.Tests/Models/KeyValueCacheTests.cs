using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

public sealed class KeyValueCacheTests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();
    private readonly DecoderModel _model = Some.Model();

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Cached_decode_equals_full_forward()
    {
        using var cache = new KeyValueCache(_model, 2, 64);
        Tensor ids = Some.Ids(2, 20), full = Some.Logits(_model, ids);
        var pass = new ForwardPass { Cache = cache };
        List<Tensor> parts = [Some.Logits(_model, ids.narrow(1, 0, 7), pass), Some.Logits(_model, ids.narrow(1, 7, 5), pass)];
        for (int t = 12; t < 20; t++)
        {
            parts.Add(Some.Logits(_model, ids.narrow(1, t, 1), pass));
        }

        Some.Close(full, cat(parts, 1));
        Assert.Equal(20, cache.Length(1));
    }

    [Fact]
    public void Rows_of_different_length_equal_each_row_alone()
    {
        using var cache = new KeyValueCache(_model, 4, 64);
        int[] lengths = [3, 11, 6], rows = [2, 0, 3];
        Tensor ids = Some.Ids(3, 11), next = Some.Ids(3, 1, seed: 9), after = Some.Ids(3, 1, seed: 10);
        var decode = new ForwardPass { Cache = cache, CacheRows = rows };
        Tensor prefill = Some.Logits(_model, ids, new ForwardPass { Cache = cache, CacheRows = rows, TokenCounts = lengths });
        Tensor first = Some.Logits(_model, next, decode), second = Some.Logits(_model, after, decode);
        for (int b = 0; b < 3; b++)
        {
            Tensor alone = Some.Logits(_model, cat([ids.narrow(0, b, 1).narrow(1, 0, lengths[b]), next.narrow(0, b, 1), after.narrow(0, b, 1)], 1));
            Some.Close(alone.narrow(1, 0, lengths[b]), prefill.narrow(0, b, 1).narrow(1, 0, lengths[b]));
            Some.Close(alone.narrow(1, lengths[b], 1), first.narrow(0, b, 1));
            Some.Close(alone.narrow(1, lengths[b] + 1, 1), second.narrow(0, b, 1));
            Assert.Equal(lengths[b] + 2, cache.Length(rows[b]));
        }

        Assert.Equal(0, cache.Length(1));
    }

    [Fact]
    public void A_row_that_waits_is_not_advanced_by_the_others()
    {
        using var cache = new KeyValueCache(_model, 2, 64);
        Tensor ids = Some.Ids(2, 6);
        Some.Logits(_model, ids, new ForwardPass { Cache = cache });
        Tensor more = Some.Ids(2, 4, seed: 21);
        Some.Logits(_model, more, new ForwardPass { Cache = cache, TokenCounts = [0, 4] });
        Assert.Equal([6, 10], new[] { cache.Length(0), cache.Length(1) });
        Tensor last = Some.Ids(2, 1, seed: 22), made = Some.Logits(_model, last, new ForwardPass { Cache = cache });
        Some.Close(Some.Logits(_model, cat([ids.narrow(0, 0, 1), last.narrow(0, 0, 1)], 1)).narrow(1, 6, 1), made.narrow(0, 0, 1));
    }

    [Fact]
    public void A_copied_prefix_goes_on_like_the_original()
    {
        using var cache = new KeyValueCache(_model, 2, 64);
        Tensor ids = Some.Ids(1, 12), tail = Some.Ids(1, 3, seed: 30);
        Some.Logits(_model, ids, new ForwardPass { Cache = cache });
        cache.Copy(0, 1, 8);
        Tensor made = Some.Logits(_model, tail, new ForwardPass { Cache = cache, CacheRows = [1] });
        Some.Close(Some.Logits(_model, cat([ids.narrow(1, 0, 8), tail], 1)).narrow(1, 8, 3), made);
        cache.Truncate(1, 0);
        Some.Close(Some.Logits(_model, tail), Some.Logits(_model, tail, new ForwardPass { Cache = cache, CacheRows = [1] }));
    }

    [Fact]
    public void What_does_not_fit_is_refused_and_changes_nothing()
    {
        using var cache = new KeyValueCache(_model, 2, 8);
        Assert.Throws<ArgumentException>(() => _model.Hidden(Some.Ids(2, 9), new ForwardPass { Cache = cache }));
        Assert.Throws<ArgumentException>(() => _model.Hidden(Some.Ids(2, 2), new ForwardPass { Cache = cache, CacheRows = [1, 1] }));
        Assert.Throws<ArgumentException>(() => _model.Hidden(Some.Ids(3, 2), new ForwardPass { Cache = cache }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new KeyValueCache(_model, 1, 129));
        Assert.Equal(0, cache.Length(0) + cache.Length(1));
    }
}
