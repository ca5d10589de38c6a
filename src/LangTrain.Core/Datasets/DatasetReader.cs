using System.Text.Json;
using System.Text.Unicode;
using LangTrain.Core.Datasets.Rows;

namespace LangTrain.Core.Datasets;

/// <summary>Reads a dataset row by row: finds its format, checks each row, writes canonical rows. Memory does not grow with the file. For one thread.</summary>
internal sealed class DatasetReader(DatasetLimits limits, DatasetOptions options)
{
    private static readonly JsonDocumentOptions Json = new() { AllowDuplicateProperties = false, MaxDepth = 64 };
    private const int MaxKeysNamed = 10;
    private readonly IReadOnlyList<RowShape> _shapes = RowShape.All(options.ChatModel);
    private readonly EvaluationSplit _split = new(options.EvaluationShare, options.Seed);
    private readonly List<DatasetProblem> _problems = [];
    private readonly SortedSet<string> _ignoredKeys = new(StringComparer.Ordinal);
    private readonly RowHashes _hashes = new(limits.DuplicateCapacity);
    private RowShape? _shape;
    private long _rows, _evaluationRows, _duplicates, _overlap, _textBytes;

    /// <summary>Hashes of the rows that were read: given to the reading of a second file, they show what both have.</summary>
    public RowHashes Hashes => _hashes;

    /// <summary>Reads all of a stream.</summary>
    /// <param name="content">JSONL, perhaps gzip; stays the caller's.</param>
    /// <param name="training">Takes the rows; null only checks them.</param>
    /// <param name="evaluation">Takes the rows split off for evaluation; null with a share of 0.</param>
    /// <param name="other">Rows of another file that this one should not share, or null.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="DatasetException">The file is too large or cannot be decompressed.</exception>
    public async Task<DatasetReport> ReadAsync(
        Stream content, IRowSink? training, IRowSink? evaluation, RowHashes? other, CancellationToken cancellation)
    {
        using var output = new RowOutput();
        await using var lines = await LineReader.OpenAsync(content, limits, cancellation);
        while (!IsEnough && await lines.FillAsync(cancellation))
        {
            while (!IsEnough && lines.TryRead(out var line))
            {
                if (!line.Span.Trim(" \t"u8).IsEmpty && Convert(line, lines.LineNumber, output))
                {
                    Take(output, training, evaluation, other);
                }
            }

            await (training?.FlushAsync(cancellation) ?? ValueTask.CompletedTask);
            await (evaluation?.FlushAsync(cancellation) ?? ValueTask.CompletedTask);
        }

        if (_rows + _evaluationRows == 0 && _problems.Count == 0)
        {
            _problems.Add(new DatasetProblem(0, "the file has no rows"));
        }
        else if (_rows == 0 && _problems.Count == 0)
        {
            _problems.Add(new DatasetProblem(0, $"the file has {_evaluationRows} rows, which are too few for an 'eval_split' of {options.EvaluationShare}"));
        }

        return Report(lines.Bytes);
    }

    private bool IsEnough => _problems.Count >= limits.MaxProblems || _rows + _evaluationRows >= options.MostRows;

    private bool Convert(ReadOnlyMemory<byte> line, long number, RowOutput output)
    {
        output.Reset();
        if (!Utf8.IsValid(line.Span))
        {
            return Refuse(number, "not valid UTF-8");
        }

        try
        {
            using var document = JsonDocument.Parse(line, Json);
            var row = document.RootElement;
            if (row.ValueKind != JsonValueKind.Object)
            {
                return Refuse(number, $"{RowShape.Describe(row)}, not an object; each line must be one JSON object");
            }

            if (_shapes.FirstOrDefault(s => s.Matches(row)) is not { } shape)
            {
                var keys = string.Join(", ", row.EnumerateObject().Take(MaxKeysNamed).Select(p => $"'{p.Name}'"));
                return Refuse(number, $"unknown format with the keys {(keys.Length == 0 ? "(none)" : keys)}; a row has 'messages', 'prompt' and 'completion', 'text', "
                    + "'instruction' and 'output', 'conversations', or 'prompt', 'chosen' and 'rejected'");
            }

            _shape ??= shape;
            if (shape.Name != _shape.Name)
            {
                return Refuse(number, $"mixed formats: a row of format '{shape.Name}' in a file that began with '{_shape.Name}'");
            }

            foreach (var property in row.EnumerateObject())
            {
                if (_ignoredKeys.Count < MaxKeysNamed && !shape.Keys.Contains(property.Name))
                {
                    _ignoredKeys.Add(property.Name);
                }
            }

            shape.Write(row, output);
        }
        catch (JsonException wrong)
        {
            var isList = _shape is null && line.Span.TrimStart(" \t"u8) is [(byte)'[', ..];
            return Refuse(number, isList
                ? "the file seems to be one JSON list; it must have one JSON object a line (JSONL)"
                : IsJson(line) ? "an object has a key twice"
                : $"not valid JSON (at byte {(wrong.BytePositionInLine ?? 0) + 1} of the line)");
        }
        catch (InvalidOperationException)
        {
            // System.Text.Json says it this way when an escape leaves half of a surrogate pair.
            return Refuse(number, @"text with half of a surrogate pair (\ud800 to \udfff must come in pairs)");
        }

        foreach (var problem in output.Problems.Take(limits.MaxProblems - _problems.Count))
        {
            _problems.Add(new DatasetProblem(number, problem));
        }

        return output.Problems.Count == 0;
    }

    /// <summary>Whether the line is JSON but for what these rows must not have.</summary>
    private static bool IsJson(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var parsed = JsonDocument.Parse(line, Json with { AllowDuplicateProperties = true });
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private void Take(RowOutput output, IRowSink? training, IRowSink? evaluation, RowHashes? other)
    {
        var row = output.Row.Span;
        _duplicates += _hashes.Add(row) ? 1 : 0;
        _overlap += other is not null && other.Contains(row) ? 1 : 0;
        _textBytes += output.TextBytes;
        if (_split.Next())
        {
            _evaluationRows++;
            evaluation?.Write(row);
        }
        else
        {
            _rows++;
            training?.Write(row);
        }
    }

    private bool Refuse(long number, string message)
    {
        _problems.Add(new DatasetProblem(number, message));
        return false;
    }

    private DatasetReport Report(long bytes)
    {
        var rows = _rows + _evaluationRows;
        var warnings = new List<string>();
        var limited = _hashes.IsFull ? $" (looked for among the first {limits.DuplicateCapacity:N0} different rows)" : "";
        if (_duplicates > 0)
        {
            warnings.Add($"{_duplicates:N0} of {rows:N0} rows ({100.0 * _duplicates / rows:0.#} %) are exact duplicates of earlier rows{limited}.");
        }

        if (_overlap > 0)
        {
            warnings.Add($"{_overlap:N0} of {rows:N0} validation rows also stand in the training data, so the evaluation loss is better than it should be.");
        }

        if (_ignoredKeys.Count > 0)
        {
            warnings.Add($"Keys that rows of format '{_shape!.Name}' do not have are left out: {string.Join(", ", _ignoredKeys.Select(k => $"'{k}'"))}.");
        }

        if (options.EvaluationShare > 0 && _evaluationRows == 0)
        {
            warnings.Add($"An 'eval_split' of {options.EvaluationShare} leaves none of {rows:N0} rows for evaluation, so there is none.");
        }

        return new DatasetReport
        {
            SourceFormat = _shape?.Name,
            Format = _shape?.CanonicalName,
            Rows = _rows,
            EvaluationRows = _evaluationRows,
            Bytes = bytes,
            TextBytes = _textBytes,
            Problems = _problems,
            StoppedEarly = _problems.Count >= limits.MaxProblems,
            Warnings = warnings,
        };
    }
}
