using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Accounts;
using LangTrain.Core.Datasets;
using LangTrain.Core.Errors;
using LangTrain.Core.Generation;
using LangTrain.Core.Models;

namespace LangTrain.Core.FineTunes;

/// <summary>
/// A dry run of a fine-tune: its request and data are checked as a job's would be, and a worker reckons tokens, steps, memory and time from the
/// data's rows (from some of them, evenly spread, where there are many). Nothing is stored. Thread-safe.
/// </summary>
public sealed class EstimateFineTune(CheckFineTune check, PrepareDataset prepare, DatasetLimits limits, ITrainingWorker worker)
{
    private const int MostRows = 4096;
    private const long MostRowBytes = 4 << 20;

    /// <summary>Estimates.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="request">As for submitting.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The report on the data and, where the data is good, the estimate.</returns>
    /// <exception cref="ApiException">As for submitting; 400 where the data is not to be had or the worker refuses a row, 503 where no worker answers.</exception>
    public async Task<FineTuneEstimateAnswer> ExecuteAsync(Caller caller, FineTuneRequest request, CancellationToken cancellation = default)
    {
        var (model, target, config) = await check.ExecuteAsync(caller, request, cancellation);
        var training = request.Config.TrainingConfig;
        var hasValidationFile = request.Dataset.ValidationFileId is not null;
        var options = new DatasetOptions
        {
            ChatModel = model.SupportedTasks.Contains("chat"),
            EvaluationShare = hasValidationFile ? 0 : training.EvalSplit,
            Seed = training.Seed,
        };
        var rows = new SampledRows(MostRows, MostRowBytes);
        DatasetReport report;
        var validationRows = 0L;
        try
        {
            report = await ReadAsync(caller.AccountId, request.Dataset, options, rows, cancellation);
            if (hasValidationFile && report.IsValid)
            {
                var validation = await ReadAsync(
                    caller.AccountId, new DatasetReference(null, request.Dataset.ValidationFileId), options, sink: null, cancellation);
                validationRows = validation.Rows;
                report = report with { Problems = validation.Problems, Warnings = [.. report.Warnings, .. validation.Warnings] };
            }
        }
        catch (DatasetException fault)
        {
            throw ApiErrors.Invalid(fault.Message, "dataset", fault.Code);
        }
        catch (DatasetInterruptedException interrupted)
        {
            throw ApiErrors.Invalid(interrupted.Message, "dataset", "dataset_unreachable");
        }

        if (report.IsValid && PrepareFineTune.MismatchOf(request.Config.Objective, report.Format!) is { } mismatch)
        {
            report = report with { Problems = [new DatasetProblem(0, mismatch)] };
        }

        var answer = new FineTuneEstimateAnswer
        {
            ModelId = request.ModelId,
            Config = config,
            Dataset = new FineTuneEstimateDatasetAnswer(
                report.IsValid, report.Format, report.Rows, hasValidationFile ? validationRows : report.EvaluationRows,
                [.. report.Problems.Select(problem => new DatasetProblemAnswer(problem.Line, problem.Message))], report.Warnings),
        };
        if (!report.IsValid)
        {
            return answer;
        }

        var estimate = await AskAsync(answer, target, rows, cancellation);
        var pricing = model.ToAnswer().Pricing;
        return answer with { Estimate = estimate, Price = new FineTunePriceAnswer(pricing.Training * estimate.TotalTokens / ModelAnswers.PricedTokens, pricing.Currency) };
    }

    private async Task<DatasetReport> ReadAsync(
        string accountId, DatasetReference reference, DatasetOptions options, SampledRows? sink, CancellationToken cancellation)
    {
        await using var content = await prepare.OpenAsync(accountId, reference, cancellation);
        return await new DatasetReader(limits, options).ReadAsync(content, sink, evaluation: null, other: null, cancellation);
    }

    private async Task<TrainingEstimateAnswer> AskAsync(
        FineTuneEstimateAnswer answer, GenerationTarget target, SampledRows rows, CancellationToken cancellation)
    {
        try
        {
            return await worker.EstimateAsync(
                new EstimateWorkItem
                {
                    BaseModel = target.Base, StartAdapter = target.Adapter, Config = answer.Config, Rows = rows.Rows, TotalRows = answer.Dataset.Rows, EvaluationRows = answer.Dataset.ValidationRows,
                },
                cancellation);
        }
        catch (GenerationFailedException failure)
        {
            throw WorkerErrors.From(failure.Failure);
        }
        catch (GenerationUnavailableException unavailable)
        {
            throw WorkerErrors.From(unavailable);
        }
    }
}
