using System.Globalization;
using System.Text;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Datasets;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;

namespace LangTrain.Core.FineTunes;

/// <summary>Writes the numbers of a job's steps as a file of its owner, as OpenAI's <c>result_files</c> are: CSV, a line a step. Thread-safe.</summary>
/// <remarks>
/// The file's id is made of the job's, so running twice makes one file; one that is there is left as it is, since its row has its size and hash.
/// Numbers that a run does not have stay empty.
/// </remarks>
public sealed class WriteResultFile(IJobEventLog log, IFileStore files, IBlobStore blobs, StorageNames names, TimeProvider time)
{
    /// <summary>What the file is for.</summary>
    public const string Purpose = "fine-tune-results";

    private const string Header = "step,train_loss,learning_rate,grad_norm,valid_loss,valid_mean_token_accuracy";

    /// <summary>Writes it.</summary>
    /// <returns>The file's id.</returns>
    public async Task<string> ExecuteAsync(FineTune job, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        var id = "file-results-" + job.Id[(job.Id.IndexOf('-', StringComparison.Ordinal) + 1)..];
        if (await files.FindAsync(job.AccountId, id, cancellation) is not null)
        {
            return id;
        }

        var blob = $"files/{job.AccountId}/{job.Id}-results";
        await using var content = BlobRowSink.Open(blobs, names.DatasetsContainer, blob, cancellation);
        content.Write(Encoding.UTF8.GetBytes(Header));
        foreach (var (step, row) in await StepsAsync(job, cancellation))
        {
            content.Write(Encoding.UTF8.GetBytes(string.Join(',',
                step.ToString(CultureInfo.InvariantCulture), Text(row.Loss), Text(row.LearningRate), Text(row.GradientNorm), Text(row.EvalLoss), Text(row.EvalAccuracy))));
            await content.FlushAsync(cancellation);
        }

        await files.CreateIfMissingAsync(new StoredFile
        {
            Id = id,
            AccountId = job.AccountId,
            Filename = $"{job.Id}_results.csv",
            Purpose = Purpose,
            Bytes = content.Bytes,
            Sha256 = await content.CompleteAsync(),
            BlobName = blob,
            CreatedAt = time.GetUtcNow(),
        }, cancellation);
        return id;
    }

    // A step that was made again after a pause or a rollback counts as it was made last.
    private async Task<SortedDictionary<long, Row>> StepsAsync(FineTune job, CancellationToken cancellation)
    {
        var steps = new SortedDictionary<long, Row>();
        await foreach (var told in log.ReadAsync(job.Ref(), cancellation: cancellation))
        {
            if (told.Type is not (JobEventTypes.Metrics or JobEventTypes.Eval or JobEventTypes.Rollback) || told.Number("step") is not { } step)
            {
                continue;
            }

            if (told.Type == JobEventTypes.Rollback)
            {
                steps.RemoveAfter(step);
                continue;
            }

            var row = steps.GetValueOrDefault((long)step);
            steps[(long)step] = told.Type == JobEventTypes.Metrics
                ? row with { Loss = told.Number("loss"), LearningRate = told.Number("learning_rate"), GradientNorm = told.Number("grad_norm") }
                : row with { EvalLoss = told.Number("eval_loss"), EvalAccuracy = told.Number("token_accuracy") };
        }

        return steps;
    }

    private static string Text(double? value) => value?.ToString("G9", CultureInfo.InvariantCulture) ?? "";

    private readonly record struct Row(double? Loss, double? LearningRate, double? GradientNorm, double? EvalLoss, double? EvalAccuracy);
}
