using System.Text;

namespace LangTrain.Core.Datasets;

/// <summary>Keeps rows in memory up to a size; what comes after that is dropped.</summary>
internal sealed class FirstRows(int maxBytes) : IRowSink
{
    private readonly List<string> _rows = [];
    private int _left = maxBytes;

    /// <summary>The rows.</summary>
    public IReadOnlyList<string> Rows => _rows;

    public void Write(ReadOnlySpan<byte> row)
    {
        // Nothing after a row that did not fit: the first rows are shown, not a choice of them.
        _left = row.Length <= _left ? _left - row.Length : -1;
        if (_left >= 0)
        {
            _rows.Add(Encoding.UTF8.GetString(row));
        }
    }

    public ValueTask FlushAsync(CancellationToken cancellation) => ValueTask.CompletedTask;
}
