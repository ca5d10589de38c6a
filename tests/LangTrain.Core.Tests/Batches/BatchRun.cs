using System.Text;
using System.Text.Json;
using LangTrain.Contracts;
using LangTrain.Contracts.Webhooks;
using LangTrain.Core.Accounts;
using LangTrain.Core.Batches;
using LangTrain.Core.Files;
using LangTrain.Core.Generation;
using LangTrain.Core.Models;
using LangTrain.Core.Usage;
using LangTrain.Core.Webhooks;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Batches;

/// <summary>The steps of a batch over in-memory ports, called as its orchestration calls them.</summary>
internal sealed class BatchRun
{
    private readonly StorageNames _names = new();
    private readonly ManualTimeProvider _time;
    private readonly InMemoryFileStore _files = new();
    private readonly InMemoryAccountStore _accounts = new();
    private readonly InMemoryModelStore _models = new();
    private readonly UploadedFiles _uploads;
    private readonly ValidateBatch _validate;
    private readonly RunBatchChunk _run;
    private readonly FinishBatch _finish;

    public BatchRun(BatchOptions? options = null, ManualTimeProvider? time = null)
    {
        _time = time ?? new ManualTimeProvider();
        Blobs = new InMemoryBlobStore(_time);
        options ??= new BatchOptions { ChunkLines = 4, AtOnce = 2 };
        var usage = new UsageRecorder(new InMemoryUsageStore(), _time);
        var catalog = new ModelCatalog(_models, ModelAliases.None, _time);
        var chunks = new BatchBlobs(Blobs, _names, _time);
        var announce = new AnnounceBatchEnd(new PublishWebhookEvent(Webhooks, WebhookCalls));
        _uploads = new UploadedFiles(_files, Blobs, _names, _time);
        _validate = new ValidateBatch(Store, _uploads, chunks, announce, options, _time);
        _run = new RunBatchChunk(
            Store, chunks, new AnswerBatchLine(new CompleteChat(catalog, Worker, usage, _time), new CompleteText(catalog, Worker, usage, _time), _time),
            _accounts, options, _time);
        _finish = new FinishBatch(Store, chunks, _files, Blobs, announce, _names, _time);
    }

    public InMemoryWebhookStore Webhooks { get; } = new();

    public InMemoryWorkQueue<DeliverWebhookWorkItem> WebhookCalls { get; } = new();

    public InMemoryBatchStore Store { get; } = new();

    public InMemoryBlobStore Blobs { get; }

    public ScriptedGenerationWorker Worker { get; } = new();

    /// <summary>A line whose prompt is its custom id.</summary>
    public static string Line(string customId, string? extra = null) =>
        $$"""{"custom_id":"{{customId}}","method":"POST","url":"/v1/completions","body":{"model":"langtrain/tiny","prompt":"{{customId}}"{{extra}}""" + "}}";

    public async Task<Batch> SubmitAsync(params string[] lines)
    {
        await _accounts.UpsertAsync(Some.Account());
        await _models.UpsertAsync(Some.BaseModel());
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        var upload = await _uploads.StoreAsync(Some.AccountId, "in.jsonl", content);
        var file = await _uploads.CreateAsync(Some.AccountId, upload, "batch", null, Ids.New("file", _time)[5..]);
        var caller = new Caller(Some.Account(), Some.Key("hash"), "req-1");
        return await new SubmitBatch(_uploads, _files, Store, _time).ExecuteAsync(
            caller, new BatchRequest(file.Id, "/v1/completions", new Dictionary<string, string>(), null), Ids.New("x", _time)[2..]);
    }

    /// <summary>Runs to the end; a step that dies is run again, as the orchestration's retries do.</summary>
    public async Task<Batch> RunAsync(Batch batch)
    {
        for (var death = 0; ; death++)
        {
            try
            {
                if (await _validate.ExecuteAsync(batch.Ref()))
                {
                    while (await _run.ExecuteAsync(batch.Ref()) is { IsDone: false } step)
                    {
                        _time.Advance(TimeSpan.FromSeconds(step.WaitSeconds));
                    }

                    await _finish.ExecuteAsync(batch.Ref());
                }

                return (await Store.FindAsync(batch.Ref()))!.Value;
            }
            catch (IOException) when (death < 100)
            {
                // Killed here.
            }
        }
    }

    public Task<BatchStep> StepAsync(Batch batch) => _run.ExecuteAsync(batch.Ref());

    public Task<bool> ValidateAsync(Batch batch) => _validate.ExecuteAsync(batch.Ref());

    public Task<Batch> CancelAsync(Batch batch) => new CancelBatch(Store, _time).ExecuteAsync(batch.Ref());

    /// <summary>Custom ids of the lines whose results are in storage now.</summary>
    public HashSet<string> StoredLines() =>
    [
        .. Blobs.ListAsync(_names.DatasetsContainer, "batches/").ToBlockingEnumerable().Where(blob => blob.Name.Contains("/results/", StringComparison.Ordinal))
            .SelectMany(blob => Encoding.UTF8.GetString(Blobs.Content(_names.DatasetsContainer, blob.Name)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            .Select(line => JsonElement.Parse(line).GetProperty("output").GetProperty("custom_id").GetString()!),
    ];

    /// <summary>The lines of a result file, none where there is no file.</summary>
    public async Task<IReadOnlyList<JsonElement>> LinesAsync(string? fileId)
    {
        if (fileId is null)
        {
            return [];
        }

        var (file, content) = await _uploads.OpenAsync(Some.AccountId, fileId);
        await using (content)
        {
            using var reader = new StreamReader(content);
            var text = await reader.ReadToEndAsync();
            Assert.Equal(file.Bytes, Encoding.UTF8.GetByteCount(text));
            return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
        }
    }
}
