using System.Text;

namespace LangTrain.Core.Datasets;

/// <summary>Keeps some rows of a dataset, spread evenly over it: all of a small one. For one thread; memory does not grow with the data.</summary>
/// <param name="maxRows">Rows kept at most.</param>
/// <param name="maxBytes">Bytes kept at most, except that one row always is.</param>
internal sealed class SampledRows(int maxRows, long maxBytes) : IRowSink
{
    private readonly List<string> _rows = [];
    private long _seen, _stride = 1, _bytes;

    /// <summary>The rows kept: those whose number is a multiple of the stride.</summary>
    public IReadOnlyList<string> Rows => _rows;

    public void Write(ReadOnlySpan<byte> row)
    {
        if (_seen++ % _stride != 0)
        {
            return;
        }

        _rows.Add(Encoding.UTF8.GetString(row));
        _bytes += row.Length;
        while (_rows.Count > 1 && (_rows.Count > maxRows || _bytes > maxBytes))
        {
            Thin();
        }
    }

    public ValueTask FlushAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

    /// <summary>Every second row goes; those that stay are as evenly spread as before.</summary>
    private void Thin()
    {
        _stride *= 2;
        for (var i = 1; 2 * i < _rows.Count; i++)
        {
            _rows[i] = _rows[2 * i];
        }

        _rows.RemoveRange((_rows.Count + 1) / 2, _rows.Count / 2);
        _bytes = _rows.Sum(row => (long)Encoding.UTF8.GetByteCount(row));
    }
}
