using LangTrain.Contracts;
using LangTrain.Core;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Models;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Models;

/// <summary>Base models and an account's own. Ids hold slashes, hence the catch-all routes.</summary>
public sealed class ModelHttpFunctions(ModelCatalog catalog, ModelListAnswers lists, DeleteModel delete, UploadModel upload, TimeProvider time)
{
    /// <summary><c>GET /models</c>: all that the account may use; <c>?category</c> and <c>?task</c> narrow it.</summary>
    [Function("ListModels")]
    public async Task<IResult> ListModels(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "models")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller();
        var all = await catalog.ListAsync(caller.AccountId, cancellation);
        if (!request.QueryString.HasValue)
        {
            return lists.All(caller.AccountId, all);
        }

        var (category, task) = (request.QueryValue("category"), request.QueryValue("task"));
        var models = all
            .Where(model => (category is null || model.Category == category) && (task is null || model.SupportedTasks.Contains(task)))
            .Select(model => model.ToAnswer())
            .ToArray();
        return Answer.Json(request.PageOf(models, model => model.Id), ApiJson.Wire.ListAnswerModelAnswer);
    }

    /// <summary><c>POST /models</c>: multipart with <c>model</c> (a zip of a Hugging Face folder), <c>name</c>, <c>description</c>, <c>model_type</c>.</summary>
    [Function("UploadModel")]
    public async Task<IResult> UploadModel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "models")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Train);
        request.RefuseIdempotencyKey();
        using var form = await ModelUploadForm.ReadAsync(request, cancellation);
        var model = await upload.ExecuteAsync(
            caller.AccountId, form.Archive, form.Name, form.Description, Ids.New("model", time), cancellation);
        return Answer.Json(model.ToAnswer(), ApiJson.Wire.ModelAnswer);
    }

    /// <summary><c>GET /models/{id}</c>.</summary>
    [Function("GetModel")]
    public async Task<IResult> GetModel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "models/{*modelId}")] HttpRequest request, string modelId, CancellationToken cancellation)
    {
        var caller = request.Caller();
        var model = await catalog.GetAsync(caller.AccountId, RequestExtensions.ModelId(modelId), cancellation);
        return Answer.Json(model.ToAnswer(), ApiJson.Wire.ModelAnswer);
    }

    /// <summary><c>DELETE /models/{id}</c>.</summary>
    /// <exception cref="ApiException">403 for a base model; 409 while other models are built on it.</exception>
    [Function("DeleteModel")]
    public async Task<IResult> DeleteModel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "models/{*modelId}")] HttpRequest request, string modelId, CancellationToken cancellation)
    {
        var id = RequestExtensions.ModelId(modelId);
        await delete.ExecuteAsync(request.Caller(Scopes.Train), id, cancellation);
        return Answer.Json(new DeletedAnswer(id, "model"), ApiJson.Wire.DeletedAnswer);
    }
}
