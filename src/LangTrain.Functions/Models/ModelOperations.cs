using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Models;
using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.Models;

/// <summary>Describes the endpoints of models.</summary>
internal static class ModelOperations
{
    /// <summary>The feature.</summary>
    public static ApiTag Tag { get; } = new("Models", "Base models, and the models of an account: made by fine-tunes or uploaded.",
        new ApiOperation("GET", "models", "ListModels", "Lists the models that the account may use.", ApiAnswer.Json(ApiJson.Wire.ListAnswerModelAnswer).OrTogethers(ApiJson.Wire.TogetherModelAnswerArray))
        {
            Query =
            [
                .. ApiQuery.Page,
                ApiQuery.OneOf("category", "Only models of this category.", "chat", "code", "instruct", "base", "custom"),
                ApiQuery.Text("status", "Only models that stand so: `ready`, `weights_missing`, `validating`, `invalid`."),
                ApiQuery.Text("owned_by", "Only models of this owner: `langtrain` for base models, or the account's id."),
                ApiQuery.Text("task", "Only models that know this task: `completion`, `chat`, `fine-tuning`."),
            ],
        },
        new ApiOperation("POST", "models", "UploadModel", "Uploads a custom model.", ApiAnswer.Json(ApiJson.Wire.ModelAnswer, "The model; it is `ready` or `invalid` once it has been checked."))
        {
            Scope = Scopes.Train,
            IsIdempotent = true,
            Errors = [404],
            Description = "A form with the files; or JSON that names finished uploads: `{\"name\", \"files\": [\"upload-…\"], \"description\", \"base_model\", \"model_type\"}`.",
            Body = ApiBody.Form("""
                {"type":"object","required":["model"],"additionalProperties":false,"properties":{
                  "model":{"type":"string","contentMediaType":"application/octet-stream","description":"A zip or tar of a Hugging Face or PEFT folder, or its files, one part each."},
                  "name":{"type":"string","minLength":1,"maxLength":256,"description":"Name for people; the file's where it is left out."},
                  "description":{"type":"string","maxLength":4096,"description":"A sentence."},
                  "base_model":{"type":"string","minLength":1,"maxLength":256,"description":"The model under an adapter."},
                  "model_type":{"type":"string","const":"custom"}}}
                """),
        },
        new ApiOperation("GET", "models/{*modelId}", "GetModel", "Gives one model.", ApiAnswer.Json(ApiJson.Wire.ModelAnswer)),
        new ApiOperation("GET", "models/{*modelId}", "GetModel", "Lists a model's files, with short-lived addresses.", ApiAnswer.Json(ApiJson.Wire.ListAnswerModelFileAnswer))
        {
            Tail = "/files", OperationId = "ListModelFiles", Scope = Scopes.Read, Errors = [400, 409],
        },
        new ApiOperation("POST", "models/{*modelId}", "ExportModel", "Makes files of a model to take away. Doing it again gives the same export.", ApiAnswer.Json(ApiJson.Wire.ModelExportAnswer))
        {
            Tail = "/export", Scope = Scopes.Train, Errors = [409], Body = ApiBody.Read(body => ExportRequest.FromRequest(body), """{ "format": "gguf", "dtype": "f16" }""") with
            {
                Notes = new Dictionary<string, string>
                {
                    ["format"] = "`peft` is the adapter as it was trained, `merged` full weights as safetensors, `gguf` one file for llama.cpp.",
                    ["dtype"] = "`f32`, `f16`, `bf16`; with `gguf` also `q8_0`.",
                },
            },
        },
        new ApiOperation("GET", "models/{*modelId}", "GetModel", "Lists a model's exports.", ApiAnswer.Json(ApiJson.Wire.ListAnswerModelExportAnswer))
        {
            Tail = "/exports", OperationId = "ListModelExports", Scope = Scopes.Read, Query = ApiQuery.Page,
        },
        new ApiOperation("GET", "models/{*modelId}", "GetModel", "Gives one export; once completed, with addresses of its files.", ApiAnswer.Json(ApiJson.Wire.ModelExportAnswer))
        {
            Tail = "/exports/{exportId}", OperationId = "GetModelExport", Scope = Scopes.Read,
        },
        new ApiOperation("DELETE", "models/{*modelId}", "DeleteModel", "Deletes a model of the account.", ApiAnswer.Json(ApiJson.Wire.DeletedAnswer))
        {
            Scope = Scopes.Train, Errors = [409],
        });
}
