using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models;
using LangTrain.Core.Together;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Together;

/// <summary>Calls about fine-tunes that only the together-ai client makes.</summary>
public sealed class TogetherFineTuneHttpFunctions(
    EstimateFineTune estimate, CheckFile check, ModelCatalog catalog, IFineTuneStore store, ModelArchives archives)
{
    /// <summary><c>POST /fine-tunes/estimate-price</c>: a dry run; nothing is stored.</summary>
    [Function("EstimateFineTunePrice")]
    public async Task<IResult> EstimatePrice(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "fine-tunes/estimate-price")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Train);
        var wish = TogetherFineTuneRequest.FromRequest(await request.ReadJsonAsync(cancellation));
        try
        {
            return TogetherClient.Json((await estimate.ExecuteAsync(caller, wish, cancellation)).ToTogetherPrice(), ApiJson.Wire.TogetherPriceAnswer);
        }
        catch (ApiException refused)
        {
            throw FineTuningJobRequest.InItsNames(refused);
        }
    }

    /// <summary><c>POST /fine-tunes/preview</c>: the first rows of a file as tokens with their labels.</summary>
    [Function("PreviewFineTune")]
    public async Task<IResult> Preview(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "fine-tunes/preview")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Read);
        var wish = TogetherPreviewRequest.FromRequest(await request.ReadJsonAsync(cancellation));
        try
        {
            var context = (await catalog.FindAsync(caller.AccountId, wish.Model, cancellation) ?? throw ApiErrors.NotFound("model", wish.Model, "model")).ContextLength;
            var shown = await check.PreviewAsync(caller.AccountId, wish.TrainingFile, wish.Model, wish.Rows, cancellation);
            return TogetherClient.Json(shown.ToTogether(context), ApiJson.Wire.TogetherPreviewAnswer);
        }
        catch (ApiException refused)
        {
            throw FineTuningJobRequest.InItsNames(refused);
        }
    }

    /// <summary><c>GET /fine-tunes/models/limits?model_name=</c>.</summary>
    [Function("GetFineTuneModelLimits")]
    public async Task<IResult> GetLimits(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "fine-tunes/models/limits")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Read);
        var name = request.QueryValue("model_name") ?? throw ApiErrors.Invalid("model_name is required.", "model_name", "missing_required_parameter");
        var model = await catalog.FindAsync(caller.AccountId, name, cancellation) ?? throw ApiErrors.NotFound("model", name, "model_name");
        return TogetherClient.Json(model.ToTogetherLimits(name), ApiJson.Wire.TogetherLimitsAnswer);
    }

    /// <summary><c>GET /finetune/download?ft_id=&amp;checkpoint=&amp;checkpoint_step=</c>: the files of what a job made, as a zip.</summary>
    [Function("DownloadFineTune")]
    public async Task<IResult> Download(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "finetune/download")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Read);
        var id = request.QueryValue("ft_id") ?? throw ApiErrors.Invalid("ft_id is required.", "ft_id", "missing_required_parameter");
        var job = await store.GetAsync(caller, id, cancellation);
        return new ModelArchiveResult(await archives.OpenAsync(caller, ModelOf(request, job), cancellation), $"{job.Id}.zip");
    }

    private static string ModelOf(HttpRequest request, FineTune job)
    {
        var step = request.QueryValue("checkpoint_step") is not { } text ? 0
            : int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number
            : throw ApiErrors.Invalid("checkpoint_step must be a whole number, at least 0.", "checkpoint_step");
        if (step > 0)
        {
            // The last step is what the job made, whether or not it is stored as a checkpoint as well.
            return job is { FineTunedModelId: { } last } && step == (job.Outcome?.WrittenStep ?? job.Progress.CurrentStep) ? last : CheckpointModels.IdOf(job, step);
        }

        var made = job.Config.Method == "full" ? "merged" : "adapter";
        if (request.QueryValue("checkpoint") is { } kind && kind != made && kind != "model_output_path")
        {
            throw ApiErrors.Invalid(
                kind == "merged" ? "checkpoint 'merged' is made by POST /v1/models/{id}/export with the format 'merged'; this gives what the job stored."
                    : $"checkpoint may be '{made}' or 'model_output_path' with this job, not '{ApiErrors.Shorten(kind)}'.",
                "checkpoint", "unsupported_parameter");
        }

        return job.FineTunedModelId ?? throw ApiErrors.Conflict("model_not_ready", $"The fine-tune '{job.Id}' has made no model: its status is '{job.Status.Word()}'.", param: "ft_id");
    }
}
