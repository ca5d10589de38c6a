using LangTrain.Contracts.Files;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Datasets;
using LangTrain.Core.Errors;
using LangTrain.Core.Generation;
using LangTrain.Core.Models;

namespace LangTrain.Core.Files;

/// <summary>Looks into a file of training data: all of it for faults, its first rows as a model's tokens. Thread-safe.</summary>
public sealed class CheckFile(UploadedFiles files, CheckDataset check, ModelCatalog models, IGenerationWorker worker, DatasetLimits limits)
{
    /// <summary>Most rows of a preview.</summary>
    public const int MostPreviewRows = 50;

    // A worker's tokens of one preview are held in memory as a whole.
    private const int MostPreviewBytes = 1 << 20;

    /// <summary>Checks every row, as a fine-tune would; memory does not grow with the file.</summary>
    /// <param name="accountId">Who asks.</param>
    /// <param name="fileId">The file.</param>
    /// <param name="modelId">The model to be trained, or null for one with a chat template.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">404.</exception>
    public async Task<FileValidationAnswer> ValidateAsync(string accountId, string fileId, string? modelId, CancellationToken cancellation = default)
    {
        var chat = modelId is null || await IsChatAsync(accountId, modelId, cancellation);
        var (file, content) = await files.OpenAsync(accountId, fileId, cancellation);
        await using (content)
        {
            try
            {
                return Answer(file.Id, await check.ExecuteAsync(content, new DatasetOptions { ChatModel = chat }, cancellation));
            }
            catch (DatasetException fault)
            {
                return Answer(file.Id, new DatasetReport { Problems = fault.Problems.Count > 0 ? fault.Problems : [new DatasetProblem(0, fault.Message)] });
            }
        }
    }

    /// <summary>Shows the first rows as the model's tokens with the loss mask.</summary>
    /// <exception cref="ApiException">404; 409 for a model that is not ready; 400 when a row before them is at fault; 503.</exception>
    public async Task<FilePreviewAnswer> PreviewAsync(string accountId, string fileId, string modelId, int rows, CancellationToken cancellation = default)
    {
        var (model, target) = await models.ResolveAsync(accountId, modelId, cancellation: cancellation);
        var (file, content) = await files.OpenAsync(accountId, fileId, cancellation);
        var first = new FirstRows(MostPreviewBytes);
        DatasetReport report;
        await using (content)
        {
            try
            {
                var options = new DatasetOptions { ChatModel = model.SupportedTasks.Contains("chat"), MostRows = rows };
                report = await new DatasetReader(limits with { MaxProblems = 1 }, options).ReadAsync(content, first, evaluation: null, other: null, cancellation);
            }
            catch (DatasetException fault)
            {
                throw ApiErrors.Invalid(fault.Message, "file_id", fault.Code);
            }
        }

        if (first.Rows.Count == 0)
        {
            throw ApiErrors.Invalid($"The file has no good row to show: {(report.Problems is [var problem, ..] ? problem.ToString() : "its first row is too long")}.", "file_id", "dataset_invalid");
        }

        var shown = await worker.PreviewAsync(new PreviewWorkItem(target, first.Rows), cancellation);
        return new FilePreviewAnswer(file.Id, modelId, report.Format ?? "", shown.Rows);
    }

    private async Task<bool> IsChatAsync(string accountId, string modelId, CancellationToken cancellation) =>
        (await models.FindAsync(accountId, modelId, cancellation) ?? throw ApiErrors.NotFound("model", modelId, "model")).SupportedTasks.Contains("chat");

    private static FileValidationAnswer Answer(string fileId, DatasetReport report) => new()
    {
        FileId = fileId,
        Valid = report.IsValid,
        Format = report.SourceFormat,
        TrainedAs = report.Format,
        Rows = report.Rows + report.EvaluationRows,
        Bytes = report.Bytes,
        ApproximateTokens = report.ApproximateTokens,
        Problems = [.. report.Problems.Select(problem => new FileProblem(problem.Line, problem.Message))],
        StoppedEarly = report.StoppedEarly,
        Warnings = report.Warnings,
    };
}
