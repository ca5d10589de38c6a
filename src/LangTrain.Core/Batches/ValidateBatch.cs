using System.Text.Json;
using LangTrain.Contracts.Batches;
using LangTrain.Core.Datasets;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;

namespace LangTrain.Core.Batches;

/// <summary>Checks a batch's input file line by line and cuts it into chunks: the first step of its orchestration. Thread-safe; twice does no harm.</summary>
/// <remarks>The chunks are a copy: the file may be deleted while the batch runs. What is inside a request's body is checked when it is its turn, and fails alone.</remarks>
public sealed class ValidateBatch(IBatchStore store, UploadedFiles files, BatchBlobs blobs, AnnounceBatchEnd announce, BatchOptions options, TimeProvider time)
{
    /// <summary>Checks.</summary>
    /// <returns>False when the batch has ended.</returns>
    public async Task<bool> ExecuteAsync(BatchRef batch, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var now = (await store.FindAsync(batch, cancellation))?.Value;
        if (now is { Status: BatchStatus.Validating })
        {
            now = await CheckAsync(now, cancellation);
        }

        if (now is { Status: var status } && status.IsTerminal())
        {
            await announce.ExecuteAsync(now, cancellation);
            await blobs.DeleteAsync(batch, cancellation);
        }

        return now is not null && !now.Status.IsTerminal();
    }

    private async Task<Batch?> CheckAsync(Batch batch, CancellationToken cancellation)
    {
        var (lines, chunks, problems) = await CutAsync(batch, cancellation);
        return await store.ChangeAsync(
            batch.Ref(),
            current => current.Status switch
            {
                BatchStatus.Validating when problems.Count > 0 =>
                    current with { Status = BatchStatus.Failed, Problems = problems, EndedAt = time.GetUtcNow() },
                BatchStatus.Validating =>
                    current with { Status = BatchStatus.InProgress, Total = lines, Chunks = chunks, InProgressAt = time.GetUtcNow() },
                // Cancelled meanwhile: its lines are told as cancelled.
                BatchStatus.Cancelling when problems.Count == 0 => current with { Total = lines, Chunks = chunks },
                _ => null,
            },
            cancellation);
    }

    private async Task<(int Lines, int Chunks, IReadOnlyList<BatchProblem> Problems)> CutAsync(Batch batch, CancellationToken cancellation)
    {
        var cut = new Cutting(batch, blobs, options);
        Stream content;
        try
        {
            (_, content) = await files.OpenAsync(batch.AccountId, batch.InputFileId, cancellation);
        }
        catch (ApiException gone) when (gone.Status == 404)
        {
            return (0, 0, [new BatchProblem("file_not_found", "The input file is gone.", "input_file_id")]);
        }

        await using (content)
        {
            try
            {
                var limits = new DatasetLimits { MaxBytes = options.MaxBytes };
                await using var lines = await LineReader.OpenAsync(content, limits, cancellation);
                while (!cut.IsOver && await lines.FillAsync(cancellation))
                {
                    while (!cut.IsOver && lines.TryRead(out var line))
                    {
                        cut.Add(lines.LineNumber, line);
                        await cut.WriteFullAsync(cancellation);
                    }
                }
            }
            catch (DatasetException broken)
            {
                cut.Problems.Add(new BatchProblem(broken.Code == "dataset_too_large" ? "file_too_large" : "invalid_file", broken.Message, "input_file_id"));
            }
        }

        await cut.CompleteAsync(cancellation);
        return (cut.Lines, cut.Chunks, cut.Problems);
    }

    // For one thread.
    private sealed class Cutting(Batch batch, BatchBlobs blobs, BatchOptions options)
    {
        private readonly HashSet<string> _customIds = new(StringComparer.Ordinal);
        private readonly List<BatchLine> _chunk = [];
        private int _chunkBytes;

        public int Lines { get; private set; }

        public int Chunks { get; private set; }

        public List<BatchProblem> Problems { get; } = [];

        /// <summary>Nothing is gained by reading on.</summary>
        public bool IsOver => Problems.Count >= options.MaxProblems || Lines > options.MaxLines;

        public void Add(long number, ReadOnlyMemory<byte> line)
        {
            if (line.Span.Trim(" \t\r"u8).IsEmpty)
            {
                return;
            }

            Lines++;
            if (Lines > options.MaxLines)
            {
                Problems.Add(new BatchProblem("too_many_requests", $"A batch may have at most {options.MaxLines:N0} requests.", "input_file_id", number));
                return;
            }

            if (Read(number, line) is { } read)
            {
                _chunk.Add(read);
                _chunkBytes += read.Body.Length;
            }
        }

        public Task WriteFullAsync(CancellationToken cancellation) =>
            _chunk.Count >= options.ChunkLines || _chunkBytes >= options.ChunkBytes ? WriteAsync(cancellation) : Task.CompletedTask;

        public async Task CompleteAsync(CancellationToken cancellation)
        {
            if (_chunk.Count > 0)
            {
                await WriteAsync(cancellation);
            }

            if (Lines == 0 && Problems.Count == 0)
            {
                Problems.Add(new BatchProblem("empty_file", "The input file has no requests.", "input_file_id"));
            }
        }

        private async Task WriteAsync(CancellationToken cancellation)
        {
            if (Problems.Count == 0)
            {
                await blobs.WriteChunkAsync(batch.Ref(), Chunks, _chunk, cancellation);
                Chunks++;
            }

            _chunk.Clear();
            _chunkBytes = 0;
        }

        private BatchLine? Read(long number, ReadOnlyMemory<byte> line)
        {
            JsonElement root;
            try
            {
                root = JsonElement.Parse(line.Span, new JsonDocumentOptions { MaxDepth = Http.JsonBody.MaxDepth + 1 });
            }
            catch (JsonException)
            {
                return Refuse(number, "invalid_json_line", "This line is not valid JSON.");
            }

            if (root.ValueKind != JsonValueKind.Object)
            {
                return Refuse(number, "invalid_json_line", "This line is not a JSON object.");
            }

            if (TextOf(root, "custom_id") is not { Length: > 0 and <= 512 } customId)
            {
                return Refuse(number, "missing_required_parameter", "custom_id must be a text of 1 to 512 characters.", "custom_id");
            }

            if (!_customIds.Add(customId))
            {
                return Refuse(number, "duplicate_custom_id", $"The custom_id '{ApiErrors.Shorten(customId)}' stands on an earlier line as well.", "custom_id");
            }

            // The together-ai client's lines say neither; one that says either must say both right.
            var saysWhere = root.TryGetProperty("method", out _) || root.TryGetProperty("url", out _);
            if (saysWhere && TextOf(root, "method") != "POST")
            {
                return Refuse(number, "invalid_method", "method must be 'POST'.", "method");
            }

            if (saysWhere && TextOf(root, "url") != batch.Endpoint)
            {
                return Refuse(number, "invalid_url", $"url must be the batch's endpoint, '{batch.Endpoint}'.", "url");
            }

            return root.TryGetProperty("body", out var body) && body.ValueKind == JsonValueKind.Object
                ? new BatchLine(number, customId, LineJson.Raw(body))
                : Refuse(number, "missing_required_parameter", "body must be an object: the request.", "body");
        }

        private BatchLine? Refuse(long number, string code, string message, string? param = null)
        {
            Problems.Add(new BatchProblem(code, message, param, number));
            return null;
        }

        private static string? TextOf(JsonElement line, string key)
        {
            try
            {
                return line.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
            }
            catch (InvalidOperationException)
            {
                // Half a surrogate pair.
                return null;
            }
        }
    }
}
