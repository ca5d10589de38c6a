using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.Models;

/// <summary>Describes the endpoints of models.</summary>
internal static class ModelOperations
{
    /// <summary>The feature.</summary>
    public static ApiTag Tag { get; } = new("Models", "Base models, and the models of an account: made by fine-tunes or uploaded.",
        new ApiOperation("GET", "models", "ListModels", "Lists the models that the account may use.", ApiAnswer.Json(ApiJson.Wire.ListAnswerModelAnswer))
        {
            Query =
            [
                .. ApiQuery.Page,
                ApiQuery.OneOf("category", "Only models of this category.", "chat", "code", "instruct", "base", "custom"),
                ApiQuery.Text("task", "Only models that know this task: `completion`, `chat`, `fine-tuning`."),
            ],
        },
        new ApiOperation("POST", "models", "UploadModel", "Uploads a custom model.", ApiAnswer.Json(ApiJson.Wire.ModelAnswer))
        {
            Scope = Scopes.Train,
            Body = ApiBody.Form("""
                {"type":"object","required":["model","name"],"additionalProperties":false,"properties":{
                  "model":{"type":"string","contentMediaType":"application/zip","description":"Zip of a Hugging Face folder: config.json, tokenizer files, weights as safetensors."},
                  "name":{"type":"string","minLength":1,"maxLength":256,"description":"Name for people."},
                  "description":{"type":"string","maxLength":4096,"description":"A sentence."},
                  "model_type":{"type":"string","const":"custom"}}}
                """),
        },
        new ApiOperation("GET", "models/{*modelId}", "GetModel", "Gives one model.", ApiAnswer.Json(ApiJson.Wire.ModelAnswer)),
        new ApiOperation("DELETE", "models/{*modelId}", "DeleteModel", "Deletes a model of the account.", ApiAnswer.Json(ApiJson.Wire.DeletedAnswer))
        {
            Scope = Scopes.Train, Errors = [409],
        });
}
