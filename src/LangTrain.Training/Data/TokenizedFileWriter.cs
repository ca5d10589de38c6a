using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using LangTrain.Modeling.ChatTemplates;
using LangTrain.Modeling.Tokenizers;
using LangTrain.Training.Batches;

namespace LangTrain.Training.Data;

/// <summary>Tokenizes a file into a <see cref="TokenizedFile"/>'s folder: rows in batches, each batch on all cores, written in the order of the rows.</summary>
internal sealed class TokenizedFileWriter(string modelFolder, TokenizingOptions options)
{
    // A batch is what is in memory at once: enough rows for every core, and an end for very long ones.
    private const int BatchRows = 512;
    private const int BatchCharacters = 8 << 20;
    private LengthStatistics _statistics = new();
    private RowShape? _shape;

    /// <exception cref="TrainingDataException">A row cannot be used, or nothing is left to train on.</exception>
    public TokenizedFileManifest Write(string path, string folder, string source, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxSequenceLength, 2);
        var tokenizer = Tokenizer.Load(modelFolder);
        using var template = ChatTemplate.LoadOrPlain(modelFolder, tokenizer);
        var encoder = new RowEncoder(tokenizer, new ChatPromptEncoder(tokenizer, template), options.LossOn);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var tokens = new BufferedStream(File.Create(Path.Combine(folder, TokenizedFile.TokensName)), 1 << 20))
        using (var index = new BufferedStream(File.Create(Path.Combine(folder, TokenizedFile.IndexName)), 1 << 16))
        {
            foreach (var batch in Batches(path))
            {
                cancellation.ThrowIfCancellationRequested();
                foreach (var examples in Encode(encoder, batch, cancellation))
                {
                    foreach (var example in examples) Append(example, tokens, index, hash);
                }
            }
        }
        if (_statistics.Examples == 0) throw new TrainingDataException("Nothing is left to train on: no row has a token that would be learned.");
        var manifest = new TokenizedFileManifest(source, Convert.ToHexStringLower(hash.GetHashAndReset()), _shape!.Value, _statistics);
        manifest.Write(folder);
        return manifest;
    }

    private static IEnumerable<List<(long Number, string Text)>> Batches(string path)
    {
        var batch = new List<(long, string)>(BatchRows);
        var characters = 0;
        foreach (var line in JsonLines.Read(path))
        {
            batch.Add(line);
            characters += line.Text.Length;
            if (batch.Count < BatchRows && characters < BatchCharacters) continue;
            yield return batch;
            batch = new List<(long, string)>(BatchRows);
            characters = 0;
        }
        if (batch.Count > 0) yield return batch;
    }

    /// <summary>Encodes a batch on all cores; gives each row's examples in the order of the rows.</summary>
    private IEnumerable<IReadOnlyList<TokenizedExample>> Encode(RowEncoder encoder, List<(long Number, string Text)> batch, CancellationToken cancellation)
    {
        var encoded = new (RowShape Shape, IReadOnlyList<TokenizedExample>? Examples, TrainingDataException? Error)[batch.Count];
        Parallel.For(0, batch.Count, new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount }, i => encoded[i] = EncodeRow(encoder, batch[i]));
        for (var i = 0; i < encoded.Length; i++)
        {
            var (shape, examples, error) = encoded[i];
            // The first wrong row counts, whichever core met one first.
            if (error is not null) throw error;
            _shape ??= shape;
            if (_shape != shape) throw new TrainingDataException($"The row is of shape {shape}, those before are of shape {_shape}.", batch[i].Number);
            yield return Fit(examples!, batch[i].Number);
        }
    }

    private static (RowShape Shape, IReadOnlyList<TokenizedExample>? Examples, TrainingDataException? Error) EncodeRow(RowEncoder encoder, (long Number, string Text) line)
    {
        try
        {
            using var row = JsonDocument.Parse(line.Text);
            var examples = encoder.Encode(row.RootElement);
            return (RowEncoder.ShapeOf(row.RootElement)!.Value, examples, null);
        }
        catch (JsonException e)
        {
            return (default, null, new TrainingDataException("The line is not valid JSON.", line.Number, e));
        }
        catch (TrainingDataException e)
        {
            return (default, null, new TrainingDataException(e.Message, line.Number, e));
        }
    }

    /// <summary>Makes a row's examples fit the longest sequence, and counts.</summary>
    private IReadOnlyList<TokenizedExample> Fit(IReadOnlyList<TokenizedExample> examples, long line)
    {
        var longest = examples.Max(example => example.Ids.Length);
        var isLong = longest > options.MaxSequenceLength;
        _statistics = _statistics with
        {
            Rows = _statistics.Rows + 1,
            LongestRow = Math.Max(_statistics.LongestRow, longest),
            LongRows = _statistics.LongRows + (isLong ? 1 : 0),
        };
        if (isLong)
        {
            if (options.LongRows == LongRowPolicy.Error) throw new TrainingDataException($"The row has {longest} tokens; a sequence may have {options.MaxSequenceLength}.", line);
            examples = options.LongRows == LongRowPolicy.Drop ? [] : _shape == RowShape.Text ? [.. Windows(examples[0])] : [.. examples.Select(Cut)];
        }
        // Both answers of a preference row go or stay together.
        var usable = _shape == RowShape.Text ? [.. examples.Where(example => TrainedTokens(example) > 0)]
            : examples.Count > 0 && examples.All(example => TrainedTokens(example) > 0) ? examples : [];
        if (usable.Count == 0) _statistics = _statistics with { RowsLeftOut = _statistics.RowsLeftOut + 1 };
        return usable;
    }

    // A cut answer has no end of text at its end: the model must not learn to stop there.
    private TokenizedExample Cut(TokenizedExample example) => example.Ids.Length <= options.MaxSequenceLength
        ? example
        : new TokenizedExample(example.Ids[..options.MaxSequenceLength], example.IsTrained[..options.MaxSequenceLength]);

    private IEnumerable<TokenizedExample> Windows(TokenizedExample example)
    {
        // Each window begins with the last token of the one before, which is where its first prediction starts from.
        for (var start = 0; start < example.Ids.Length - 1; start += options.MaxSequenceLength - 1)
        {
            var end = Math.Min(start + options.MaxSequenceLength, example.Ids.Length);
            yield return new TokenizedExample(example.Ids[start..end], example.IsTrained[start..end]);
        }
    }

    private static int TrainedTokens(TokenizedExample example) => example.IsTrained.Length < 2 ? 0 : example.IsTrained.AsSpan(1).Count(true);

    private void Append(TokenizedExample example, Stream tokens, Stream index, IncrementalHash hash)
    {
        var stored = new uint[example.Ids.Length];
        for (var i = 0; i < stored.Length; i++) stored[i] = (uint)example.Ids[i] | (example.IsTrained[i] ? TokenizedFile.TrainedBit : 0);
        var bytes = MemoryMarshal.AsBytes(stored.AsSpan());
        var entry = new TokenizedFile.IndexEntry(_statistics.Tokens, stored.Length, TrainedTokens(example));
        tokens.Write(bytes);
        index.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<TokenizedFile.IndexEntry>(in entry)));
        // The length too, so that a border between examples cannot move unseen.
        hash.AppendData(BitConverter.GetBytes(stored.Length));
        hash.AppendData(bytes);
        _statistics = _statistics with
        {
            Examples = checked(_statistics.Examples + 1),
            Tokens = _statistics.Tokens + stored.Length,
            TrainedTokens = _statistics.TrainedTokens + entry.Trained,
        };
    }
}
