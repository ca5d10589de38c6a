using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LangTrain.Core.Datasets.Rows;

/// <summary>Where a shape writes its canonical row and says what is wrong with it. Used again for every row; for one thread.</summary>
internal sealed class RowOutput : IDisposable
{
    // Rows are read by programs that parse JSON, never pasted into HTML: text stays readable.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private readonly ArrayBufferWriter<byte> _bytes = new(4096);
    private readonly List<string> _problems = [];

    public RowOutput() => Json = new Utf8JsonWriter(_bytes, Options);

    /// <summary>Writer of the canonical row.</summary>
    public Utf8JsonWriter Json { get; }

    /// <summary>What is wrong with the row.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Bytes of text in the row.</summary>
    public long TextBytes { get; private set; }

    /// <summary>The row as written, without a line end.</summary>
    public ReadOnlyMemory<byte> Row
    {
        get
        {
            Json.Flush();
            return _bytes.WrittenMemory;
        }
    }

    /// <summary>Says that something is wrong.</summary>
    public void Problem(string message) => _problems.Add(message);

    /// <summary>Counts text.</summary>
    public void Count(string text) => TextBytes += Encoding.UTF8.GetByteCount(text);

    /// <summary>Writes and counts a text.</summary>
    public void Text(string key, string text)
    {
        Json.WriteString(key, text);
        Count(text);
    }

    /// <summary>Makes ready for the next row.</summary>
    public void Reset()
    {
        _bytes.ResetWrittenCount();
        Json.Reset(_bytes);
        _problems.Clear();
        TextBytes = 0;
    }

    public void Dispose() => Json.Dispose();
}
