using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Files;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Datasets;

/// <summary>Fetches a job's data, checks every row, and stores canonical rows where the worker reads them. Thread-safe.</summary>
/// <remarks>Done again it gives the same blobs: they are named by the job, and a blob is seen whole or not at all.</remarks>
public sealed class PrepareDataset(IBlobStore blobs, IFileStore files, FetchDataset fetch, DatasetLimits limits, StorageNames names, TimeProvider time)
{
    private const int FetchTries = 3;

    /// <summary>Prepares the data of a job.</summary>
    /// <param name="job">The job: names the blobs.</param>
    /// <param name="reference">Where the data is.</param>
    /// <param name="options">How it is read.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="DatasetException">The data or its place is at fault.</exception>
    public async Task<PreparedDataset> ExecuteAsync(
        FineTuneRef job, DatasetReference reference, DatasetOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(reference);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(limits.FetchTime);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await PrepareAsync(job, reference, options, deadline.Token);
            }
            catch (DatasetInterruptedException) when (attempt < FetchTries && !deadline.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromSeconds(attempt), time, deadline.Token);
            }
            catch (DatasetInterruptedException interrupted)
            {
                throw new DatasetException("dataset_unreachable", $"{interrupted.Message} Tried {attempt} times.", inner: interrupted);
            }
            catch (OperationCanceledException late) when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
            {
                throw new DatasetException("dataset_unreachable", $"The dataset could not be fetched within {limits.FetchTime.TotalMinutes:0} minutes.", inner: late);
            }
        }
    }

    /// <summary>Opens the data as it was given, not read yet; the caller disposes the stream.</summary>
    /// <exception cref="DatasetException">It is not there, or refused.</exception>
    /// <exception cref="DatasetInterruptedException">Fetching broke off in a way that may pass.</exception>
    public async Task<Stream> OpenAsync(string accountId, DatasetReference reference, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return reference.Url is { } url ? await fetch.OpenAsync(url, cancellation) : await OpenFileAsync(accountId, reference.FileId!, cancellation);
    }

    private async Task<PreparedDataset> PrepareAsync(FineTuneRef job, DatasetReference reference, DatasetOptions options, CancellationToken cancellation)
    {
        var prefix = $"{job.AccountId}/{job.JobId}/";
        var hasValidationFile = reference.ValidationFileId is not null;
        // A file for validation makes the split pointless; the file wins.
        var reader = new DatasetReader(limits, hasValidationFile ? options with { EvaluationShare = 0 } : options);
        await using var training = BlobRowSink.Open(blobs, names.DatasetsContainer, prefix + "train.jsonl", cancellation);
        await using var evaluation = hasValidationFile || options.EvaluationShare > 0
            ? BlobRowSink.Open(blobs, names.DatasetsContainer, prefix + "validation.jsonl", cancellation)
            : null;

        DatasetReport report;
        await using (var content = await OpenAsync(job.AccountId, reference, cancellation))
        {
            report = await reader.ReadAsync(content, training, hasValidationFile ? null : evaluation, other: null, cancellation);
        }

        if (!report.IsValid)
        {
            throw DatasetException.FromProblems("The dataset", report);
        }

        var evaluationRows = report.EvaluationRows;
        var warnings = report.Warnings;
        if (hasValidationFile)
        {
            var validation = await ReadValidationAsync(job.AccountId, reference.ValidationFileId!, report, reader.Hashes, evaluation!, options, cancellation);
            evaluationRows = validation.Rows;
            warnings = [.. warnings, .. validation.Warnings];
        }

        var sha256 = await training.CompleteAsync();
        if (evaluation is not null && evaluationRows > 0)
        {
            await evaluation.CompleteAsync();
        }

        return new PreparedDataset(prefix + "train.jsonl", evaluationRows > 0 ? prefix + "validation.jsonl" : null, report.Format!,
            report.Rows, evaluationRows, training.Bytes, sha256, warnings);
    }

    private async Task<DatasetReport> ReadValidationAsync(
        string accountId, string fileId, DatasetReport trainingReport, RowHashes trainingRows, BlobRowSink sink, DatasetOptions options, CancellationToken cancellation)
    {
        await using var content = await OpenFileAsync(accountId, fileId, cancellation);
        var reader = new DatasetReader(limits, options with { EvaluationShare = 0 });
        var report = await reader.ReadAsync(content, sink, evaluation: null, trainingRows, cancellation);
        if (!report.IsValid)
        {
            throw DatasetException.FromProblems("The validation file", report);
        }

        if (report.Format != trainingReport.Format)
        {
            throw new DatasetException("dataset_invalid",
                $"The validation file has rows of format '{report.SourceFormat}' and the training data of format '{trainingReport.SourceFormat}'; both must have one.");
        }

        return report;
    }

    private async Task<Stream> OpenFileAsync(string accountId, string fileId, CancellationToken cancellation)
    {
        var file = await files.FindAsync(accountId, fileId, cancellation);
        var content = file is not { State: FileState.Ready } ? null : await blobs.OpenReadAsync(names.DatasetsContainer, file.BlobName, 0, cancellation);
        return content ?? throw new DatasetException("dataset_not_found", $"The file '{fileId}' is no longer there.");
    }
}
