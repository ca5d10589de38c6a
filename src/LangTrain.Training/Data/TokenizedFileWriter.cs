using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Unicode;
using LangTrain.Modeling;
using LangTrain.Modeling.ChatTemplates;
using LangTrain.Modeling.Tokenizers;
using LangTrain.Training.Batches;

namespace LangTrain.Training.Data;

/// <summary>Tokenizes a file into a <see cref="TokenizedFile"/>'s folder: blocks of rows on all cores at once, written in the order of the rows while the next ones are encoded.</summary>
internal sealed class TokenizedFileWriter(string modelFolder, TokenizingOptions options)
{
    // A folder may be no more than a tokenizer; then nothing is known of the model's rows.
    private readonly int _modelRows = File.Exists(Path.Combine(modelFolder, "config.json")) ? ModelConfig.Read(modelFolder).VocabularySize : int.MaxValue;
    private LengthStatistics _statistics = new();
    private RowShape? _shape;

    /// <exception cref="TrainingDataException">A row cannot be used, or nothing is left to train on.</exception>
    public TokenizedFileManifest Write(string path, string folder, string source, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxSequenceLength, 2);
        var tokenizer = Tokenizer.Load(modelFolder);
        var template = ChatTemplate.LoadOrPlain(modelFolder, tokenizer);
        var encoder = new RowEncoder(tokenizer, new ChatPromptEncoder(tokenizer, template), options.LossOn);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var tokens = new BufferedStream(File.Create(Path.Combine(folder, TokenizedFile.TokensName)), 1 << 20))
        using (var index = new BufferedStream(File.Create(Path.Combine(folder, TokenizedFile.IndexName)), 1 << 16))
        {
            EncodeInOrder(encoder, path, rows => Append(rows, tokens, index, hash), cancellation);
        }
        if (_statistics.Examples == 0)
        {
            throw new TrainingDataException("Nothing is left: no row has a token that would be learned."
                + (_statistics.LongRows > 0 ? FormattableString.Invariant($" Of {_statistics.Rows} rows {_statistics.LongRows} are longer than a sequence, which may have {options.MaxSequenceLength} tokens.") : ""));
        }
        var manifest = new TokenizedFileManifest(source, Convert.ToHexStringLower(hash.GetHashAndReset()), _shape!.Value, _statistics);
        manifest.Write(folder);
        return manifest;
    }

    /// <summary>Reads and hands on in this thread, and encodes in others.</summary>
    private void EncodeInOrder(RowEncoder encoder, string path, Action<EncodedRows> append, CancellationToken cancellation)
    {
        // One block for every core, one that waits for it, and one that is being read or written: what is in memory at once.
        var most = 2 * Environment.ProcessorCount;
        var pending = new Queue<Task<EncodedRows>>(most);
        var idle = new Stack<EncodedRows>(most);
        try
        {
            foreach (var block in RowBlock.Read(path))
            {
                cancellation.ThrowIfCancellationRequested();
                var rows = idle.TryPop(out var used) ? used : new EncodedRows();
                pending.Enqueue(Task.Run(() => Encode(encoder, block, rows), CancellationToken.None));
                if (pending.Count == most) AppendNext();
            }
            while (pending.Count > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                AppendNext();
            }
        }
        finally
        {
            // After an error too: they use the template, which is about to go.
            foreach (var left in pending) ((Task)left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        }

        void AppendNext()
        {
            // Peeked, so that a failure leaves nothing behind that nobody waits for.
            var rows = pending.Peek().GetAwaiter().GetResult();
            pending.Dequeue();
            append(rows);
            idle.Push(rows);
        }
    }

    private EncodedRows Encode(RowEncoder encoder, RowBlock block, EncodedRows rows)
    {
        rows.Clear();
        using (block)
        {
            foreach (var (number, text) in block.Lines())
            {
                try
                {
                    EncodeRow(encoder, number, text, rows);
                }
                catch (JsonException e)
                {
                    rows.Error = new TrainingDataException("The line is not valid JSON.", number, e);
                    break;
                }
                catch (Exception e) when (e is TrainingDataException or EndlessPatternException)
                {
                    rows.Error = new TrainingDataException(e.Message, number, e);
                    break;
                }
            }
        }
        return rows;
    }

    private void EncodeRow(RowEncoder encoder, long number, ReadOnlyMemory<byte> text, EncodedRows rows)
    {
        var (shape, examples) = (rows.TextRow.TryRead(text.Span) ? encoder.Encode(rows.TextRow) : null) ?? EncodeJson(encoder, text);
        if (rows.Shape is null) (rows.Shape, rows.FirstLine) = (shape, number);
        if (rows.Shape != shape) throw OtherShape(shape, rows.Shape.Value);
        Fit(examples, shape, rows);
    }

    private static (RowShape Shape, IReadOnlyList<TokenizedExample> Examples) EncodeJson(RowEncoder encoder, ReadOnlyMemory<byte> text)
    {
        if (!Utf8.IsValid(text.Span)) throw new TrainingDataException("The line is not UTF-8.");
        using var row = JsonDocument.Parse(text);
        var examples = encoder.Encode(row.RootElement);
        return (RowEncoder.ShapeOf(row.RootElement)!.Value, examples);
    }

    /// <summary>Makes a row's examples fit the longest sequence, and counts.</summary>
    private void Fit(IReadOnlyList<TokenizedExample> examples, RowShape shape, EncodedRows rows)
    {
        var largestId = examples.Max(example => example.Ids.Length == 0 ? 0 : example.Ids.Max());
        if (largestId >= _modelRows) throw new TrainingDataException($"The row has the token {largestId}, and the model's embeddings end with {_modelRows - 1}: the tokenizer's files name tokens that the model was never given.");
        var longest = examples.Max(example => example.Ids.Length);
        var isLong = longest > options.MaxSequenceLength;
        if (isLong && options.LongRows == LongRowPolicy.Error) throw new TrainingDataException($"The row has {longest} tokens; a sequence may have {options.MaxSequenceLength}.");
        var isUsed = !(isLong && options.LongRows == LongRowPolicy.Drop)
            && (shape == RowShape.Text ? AddWindows(examples[0], rows) : AddBeginnings(examples, rows));
        var statistics = rows.Statistics;
        rows.Statistics = statistics with
        {
            Rows = statistics.Rows + 1,
            LongestRow = Math.Max(statistics.LongestRow, longest),
            LongRows = statistics.LongRows + (isLong ? 1 : 0),
            RowsLeftOut = statistics.RowsLeftOut + (isUsed ? 0 : 1),
        };
    }

    // A cut answer has no end of text at its end: the model must not learn to stop there.
    private bool AddBeginnings(IReadOnlyList<TokenizedExample> examples, EncodedRows rows)
    {
        int Fitting(TokenizedExample example) => Math.Min(example.Ids.Length, options.MaxSequenceLength);
        // Both answers of a preference row go or stay together.
        if (examples.Any(example => EncodedRows.TrainedTokens(example, 0, Fitting(example)) == 0)) return false;
        foreach (var example in examples) rows.Add(example, 0, Fitting(example));
        return true;
    }

    private bool AddWindows(TokenizedExample example, EncodedRows rows)
    {
        var isUsed = false;
        // Each window begins with the last token of the one before, which is where its first prediction starts from.
        for (var start = 0; start < example.Ids.Length - 1; start += options.MaxSequenceLength - 1)
        {
            isUsed |= rows.Add(example, start, Math.Min(options.MaxSequenceLength, example.Ids.Length - start));
        }
        return isUsed;
    }

    private void Append(EncodedRows rows, Stream tokens, Stream index, IncrementalHash hash)
    {
        if (rows.Shape is { } shape)
        {
            _shape ??= shape;
            if (_shape != shape) throw OtherShape(shape, _shape.Value, rows.FirstLine);
        }
        if (rows.Error is not null) throw rows.Error;
        tokens.Write(MemoryMarshal.AsBytes(rows.Tokens));
        var (start, trained) = (0, 0L);
        foreach (var example in rows.Examples)
        {
            var entry = new TokenizedFile.IndexEntry(_statistics.Tokens + start, example.Length, example.Trained);
            index.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<TokenizedFile.IndexEntry>(in entry)));
            // The length too, so that a border between examples cannot move unseen.
            hash.AppendData(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in example.Length)));
            hash.AppendData(MemoryMarshal.AsBytes(rows.Tokens.Slice(start, example.Length)));
            start += example.Length;
            trained += example.Trained;
        }
        _statistics = new LengthStatistics
        {
            Rows = _statistics.Rows + rows.Statistics.Rows,
            Examples = checked(_statistics.Examples + rows.Examples.Length),
            Tokens = _statistics.Tokens + start,
            TrainedTokens = _statistics.TrainedTokens + trained,
            LongestRow = Math.Max(_statistics.LongestRow, rows.Statistics.LongestRow),
            LongRows = _statistics.LongRows + rows.Statistics.LongRows,
            RowsLeftOut = _statistics.RowsLeftOut + rows.Statistics.RowsLeftOut,
        };
    }

    private static TrainingDataException OtherShape(RowShape shape, RowShape before, long? line = null) => new($"The row is of shape {shape}, those before are of shape {before}.", line);
}
