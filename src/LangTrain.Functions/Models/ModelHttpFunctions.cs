using System.Text;
using LangTrain.Contracts;
using LangTrain.Contracts.Models;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Idempotency;
using LangTrain.Core.Models;
using LangTrain.Core.Together;
using LangTrain.Functions.Http;
using LangTrain.Functions.Together;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.Models;

/// <summary>Base models and an account's own. Ids hold slashes, hence the catch-all routes: what follows an id is looked for at the path's end.</summary>
public sealed class ModelHttpFunctions(
    ModelCatalog catalog, ModelListAnswers lists, DeleteModel delete, UploadModel upload, ExportModel export, IdempotentRequests once)
{
    private const string ExportTail = "/export", FilesTail = "/files", ExportsTail = "/exports";

    /// <summary><c>GET /models</c>: all that the account may use; <c>?category</c>, <c>?task</c>, <c>?status</c> and <c>?owned_by</c> narrow it.</summary>
    [Function("ListModels")]
    public async Task<IResult> ListModels(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "models")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller();
        var all = await catalog.ListAsync(caller.AccountId, cancellation);
        if (request.IsTogethers())
        {
            return TogetherClient.Json([.. all.Select(model => model.ToTogether())], ApiJson.Wire.TogetherModelAnswerArray);
        }

        if (!request.QueryString.HasValue)
        {
            return lists.All(caller.AccountId, all);
        }

        var (category, task, status, owner) = (request.QueryValue("category"), request.QueryValue("task"), request.QueryValue("status"), request.QueryValue("owned_by"));
        var models = all
            .Where(model => (category is null || model.Category == category) && (task is null || model.SupportedTasks.Contains(task)) && (status is null || model.Status == status))
            .Select(model => model.ToAnswer())
            .Where(model => owner is null || model.OwnedBy == owner)
            .ToArray();
        return Answer.Json(request.PageOf(models, model => model.Id), ApiJson.Wire.ListAnswerModelAnswer);
    }

    /// <summary><c>POST /models</c>: multipart with <c>model</c> (an archive, or the files of a folder), <c>name</c>, <c>description</c>, <c>base_model</c>; or JSON naming finished uploads.</summary>
    [Function("UploadModel")]
    public async Task<IResult> UploadModel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "models")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Train);
        var form = request.HasJsonContentType()
            ? await ModelUploadForm.ReadJsonAsync(request, upload, caller.AccountId, cancellation)
            : await ModelUploadForm.ReadAsync(request, upload, caller.AccountId, cancellation);
        var used = false;
        try
        {
            return await request.RunOnceAsync(once, caller, ApiJson.Wire.ModelAnswer, Encoding.UTF8.GetBytes(form.Fingerprint), async (seed, stop) =>
            {
                var (model, task) = await upload.ExecuteAsync(caller.AccountId, form.Upload, seed, stop);
                used = true;
                await orchestrations.EnsureModelTaskAsync(task.Ref(), stop);
                return model.ToAnswer();
            }, cancellation);
        }
        finally
        {
            // Refused, or the answer of an earlier request was given: these bytes are nobody's.
            if (!used)
            {
                await upload.DiscardAsync(form.Upload.Files, CancellationToken.None);
            }
        }
    }

    /// <summary><c>GET /models/{id}</c>; <c>/files</c> behind the id lists its files, <c>/exports</c> its exports, <c>/exports/{export}</c> is one of them.</summary>
    [Function("GetModel")]
    public async Task<IResult> GetModel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "models/{*modelId}")] HttpRequest request, string modelId, CancellationToken cancellation)
    {
        var caller = request.Caller();
        var path = RequestExtensions.ModelId(modelId);
        if (await catalog.FindAsync(caller.AccountId, path, cancellation) is null)
        {
            if (path.EndsWith(FilesTail, StringComparison.Ordinal))
            {
                caller.Require(Scopes.Read);
                return Answer.Json(
                    ListAnswer.Of(await export.FilesAsync(caller, path[..^FilesTail.Length], cancellation), false, file => file.Name), ApiJson.Wire.ListAnswerModelFileAnswer);
            }

            if (path.EndsWith(ExportsTail, StringComparison.Ordinal))
            {
                caller.Require(Scopes.Read);
                return Answer.Json(await ExportsAsync(request, caller, path[..^ExportsTail.Length], cancellation), ApiJson.Wire.ListAnswerModelExportAnswer);
            }

            if (path.LastIndexOf(ExportsTail + "/", StringComparison.Ordinal) is var at and > 0)
            {
                caller.Require(Scopes.Read);
                var found = await export.GetAsync(caller, path[..at], path[(at + ExportsTail.Length + 1)..], cancellation);
                return Answer.Json(await export.ToAnswerAsync(found, cancellation), ApiJson.Wire.ModelExportAnswer);
            }
        }

        return Answer.Json((await catalog.GetAsync(caller.AccountId, path, cancellation)).ToAnswer(), ApiJson.Wire.ModelAnswer);
    }

    /// <summary><c>POST /models/{id}/export</c>: <c>format</c> and <c>dtype</c>. Doing it again gives the same export.</summary>
    [Function("ExportModel")]
    public async Task<IResult> ExportModel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "models/{*modelId}")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        string modelId,
        CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Train);
        var path = RequestExtensions.ModelId(modelId);
        if (!path.EndsWith(ExportTail, StringComparison.Ordinal))
        {
            await catalog.GetAsync(caller.AccountId, path, cancellation);
            throw ApiErrors.MethodNotAllowed(request.Method, request.Path, "GET, DELETE");
        }

        var task = await export.StartAsync(caller, path[..^ExportTail.Length], ExportRequest.FromRequest(await request.ReadJsonAsync(cancellation)), cancellation);
        if (!task.IsSettled)
        {
            await orchestrations.EnsureModelTaskAsync(task.Ref(), cancellation);
        }

        return Answer.Json(await export.ToAnswerAsync(task, cancellation), ApiJson.Wire.ModelExportAnswer);
    }

    /// <summary><c>DELETE /models/{id}</c>.</summary>
    /// <exception cref="ApiException">403 for a base model; 409 while others use it.</exception>
    [Function("DeleteModel")]
    public async Task<IResult> DeleteModel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "models/{*modelId}")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        string modelId,
        CancellationToken cancellation)
    {
        var id = RequestExtensions.ModelId(modelId);
        foreach (var removal in await delete.ExecuteAsync(request.Caller(Scopes.Train), id, cancellation))
        {
            await orchestrations.EnsureModelTaskAsync(removal, cancellation);
        }

        return Answer.Json(new DeletedAnswer(id, "model"), ApiJson.Wire.DeletedAnswer);
    }

    private async Task<ListAnswer<ModelExportAnswer>> ExportsAsync(HttpRequest request, Caller caller, string modelId, CancellationToken cancellation)
    {
        var answers = new List<ModelExportAnswer>();
        foreach (var task in await export.ListAsync(caller, modelId, cancellation))
        {
            answers.Add(await export.ToAnswerAsync(task, cancellation));
        }

        return request.PageOf(answers, answer => answer.Id);
    }
}
