using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Datasets;
using LangTrain.Core.Models;
using LangTrain.Core.Observability;

namespace LangTrain.Core.FineTunes;

/// <summary>Checks a job's data and stores it where workers read it; a job whose data is at fault fails here. Thread-safe, can be run again.</summary>
public sealed class PrepareFineTune(IFineTuneStore store, ChangeFineTune change, PrepareDataset prepare, ModelCatalog models)
{
    private const int MostProblemLines = 100;

    /// <summary>Prepares the job.</summary>
    /// <returns>Whether it can be queued; false when it has ended.</returns>
    public async Task<bool> ExecuteAsync(FineTuneRef reference, CancellationToken cancellation = default)
    {
        var row = await change.ExecuteAsync(
            reference, job => job.Status == FineTuneStatus.Created ? FineTuneRules.Grant(job)?.Job ?? job with { Status = FineTuneStatus.Validating } : null, cancellation);
        if (row is null || FineTuneStateMachine.IsTerminal(row.Value.Status))
        {
            return false;
        }

        if (row.Value.Status != FineTuneStatus.Validating || row.Value.Prepared is not null)
        {
            return true;
        }

        using var span = JobTrace.Start("prepare", row.Value);
        try
        {
            var job = row.Value;
            var model = await models.FindAsync(job.AccountId, job.BaseModelId, cancellation);
            var prepared = await prepare.ExecuteAsync(reference, job.Dataset, new DatasetOptions
            {
                ChatModel = model?.SupportedTasks.Contains("chat") == true,
                EvaluationShare = job.Config.TrainingConfig.EvalSplit,
                Seed = job.Config.TrainingConfig.Seed,
            }, cancellation);
            await change.ExecuteAsync(reference, current => current.Status == FineTuneStatus.Validating ? Accept(current, prepared) : null, cancellation);
        }
        catch (DatasetException fault)
        {
            var lines = fault.Problems.Take(MostProblemLines).Select(problem => new JobLine(problem.ToString(), "error")).ToArray();
            await change.ExecuteAsync(
                reference,
                current => current.Status == FineTuneStatus.Validating ? FineTuneRules.Fail(current, new JobError(fault.Code, fault.Message), lines) : null,
                cancellation);
        }

        return await store.FindAsync(reference, cancellation) is { } after && !FineTuneStateMachine.IsTerminal(after.Value.Status);
    }

    private static FineTuneChange Accept(FineTune job, PreparedDataset prepared)
    {
        if (MismatchOf(job.Config.Objective, prepared.Format) is { } mismatch)
        {
            return FineTuneRules.Fail(job, new JobError("dataset_invalid", mismatch));
        }

        return FineTuneRules.Queue(
            job with { Prepared = prepared },
            [
                new JobLine($"The data is good: {prepared.Rows} rows of format '{prepared.Format}'"
                    + (prepared.ValidationRows > 0 ? $", and {prepared.ValidationRows} for evaluation." : ".")),
                .. prepared.Warnings.Select(warning => new JobLine(warning, "warning")),
            ]);
    }

    /// <summary>Why rows of a format cannot serve an objective; null when they can.</summary>
    internal static string? MismatchOf(string objective, string format) => (objective, format) switch
    {
        ("dpo", "preference") => null,
        ("dpo", _) => $"Objective 'dpo' needs rows with 'prompt', 'chosen' and 'rejected'; these are of format '{format}'.",
        (_, "preference") => $"The rows are preferences (chosen and rejected), which objective 'dpo' trains on; the objective is '{objective}'.",
        ("text", not "text") => $"Objective 'text' needs rows with 'text'; these are of format '{format}'.",
        _ => null,
    };
}
