using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// The token ids behind a cache's rows, for longrope models: such a model turns every token of a sequence by other factors once the sequence is longer than
/// the original context, so that nothing cached before stays true. The row is then run again, once, which keeps cached decoding equal to the full forward pass.
/// </summary>
internal sealed class CachedTokens(int rows)
{
    private const int ChunkTokens = 512;
    private readonly List<long>[] _ids = [.. Enumerable.Range(0, rows).Select(_ => new List<long>())];
    private readonly bool[] _isLong = new bool[rows];

    /// <summary>Whether the row is turned by the long factors.</summary>
    public bool IsLong(int row) => _isLong[row];

    public void Truncate(int row, int length) => _ids[row].RemoveRange(length, _ids[row].Count - length);

    public void Copy(int from, int to, int length)
    {
        if (from != to)
        {
            _ids[to].Clear();
            _ids[to].AddRange(_ids[from].Take(length));
            _isLong[to] = _isLong[from];
        }
        else
        {
            Truncate(to, length);
        }
    }

    /// <summary>Remembers a pass's new tokens, and before that runs rows again whose factors change with them.</summary>
    /// <param name="model">The model; its rotary settings are longrope.</param>
    /// <param name="ids">[B, T], the pass's ids.</param>
    /// <param name="pass">A pass with the cache that this belongs to.</param>
    /// <param name="rows">Cache row of each batch row.</param>
    /// <param name="counts">Real new tokens of each batch row.</param>
    public void Prepare(DecoderModel model, Tensor ids, ForwardPass pass, IReadOnlyList<int> rows, IReadOnlyList<int> counts)
    {
        int original = model.Config.Rope!.OriginalContextLength;
        using Tensor host = ids.to(ScalarType.Int64, CPU).contiguous();
        ReadOnlySpan<long> given = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(host.bytes);
        for (int b = 0; b < rows.Count; b++)
        {
            int row = rows[b];
            if (counts[b] == 0)
            {
                continue;
            }

            bool isLong = _ids[row].Count + counts[b] > original, changes = isLong != _isLong[row];
            _isLong[row] = isLong;
            if (changes && _ids[row].Count > 0)
            {
                RunAgain(model, pass, row, b);
            }

            _ids[row].AddRange(given.Slice(b * (given.Length / rows.Count), counts[b]));
        }
    }

    private void RunAgain(DecoderModel model, ForwardPass pass, int row, int batchRow)
    {
        long[] ids = [.. _ids[row]];
        pass.Cache!.Truncate(row, 0);
        for (int at = 0; at < ids.Length; at += ChunkTokens)
        {
            using var scope = NewDisposeScope();
            long[] chunk = ids[at..Math.Min(at + ChunkTokens, ids.Length)];
            var again = new ForwardPass { Cache = pass.Cache, CacheRows = [row], Adapters = pass.Adapters.OfRow(batchRow), IsRunAgain = true };
            model.Hidden(tensor(chunk, device: model.Device).unsqueeze(0), again);
            _ids[row].AddRange(chunk);
        }
    }
}
