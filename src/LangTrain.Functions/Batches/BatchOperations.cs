using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Batches;
using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.Batches;

/// <summary>Describes the endpoints of batches.</summary>
internal static class BatchOperations
{
    /// <summary>The feature.</summary>
    public static ApiTag Tag { get; } = new("Batches", "Many requests in a file, answered into a file behind the interactive ones, in OpenAI's shapes.",
        new ApiOperation("POST", "batches", "CreateBatch", "Starts a batch over an uploaded file of requests.", ApiAnswer.Json(ApiJson.Wire.BatchAnswer))
        {
            Scope = Scopes.Infer,
            IsIdempotent = true,
            Errors = [404],
            Body = ApiBody.Json($$"""
                {"type":"object","additionalProperties":false,"required":["input_file_id","endpoint","completion_window"],"properties":{
                  "input_file_id":{"type":"string","minLength":1,"maxLength":256,"description":"A file of purpose `batch`: a request a line, each with a `custom_id` of its own."},
                  "endpoint":{"type":"string","enum":[{{string.Join(',', BatchRequest.Endpoints.Select(endpoint => $"\"{endpoint}\""))}}]},
                  "completion_window":{"type":"string","const":"24h"},
                  "metadata":{"type":["object","null"],"maxProperties":16,"additionalProperties":{"type":"string","maxLength":512},"description":"Notes of your own, given back with the batch."},
                  "output_expires_after":{"type":["object","null"],"additionalProperties":false,"properties":{
                    "anchor":{"type":"string","const":"created_at"},
                    "seconds":{"type":"integer","minimum":3600,"maximum":2592000,"description":"After which the files of answers are deleted."} } } } }
                """, """{ "input_file_id": "file-abc", "endpoint": "/v1/chat/completions", "completion_window": "24h" }"""),
        },
        new ApiOperation("GET", "batches", "ListBatches", "Lists batches.", ApiAnswer.Json(ApiJson.Wire.ListAnswerBatchAnswer)) { Scope = Scopes.Infer, Query = ApiQuery.Page },
        new ApiOperation("GET", "batches/{batchId}", "GetBatch", "Gives one batch with its counts and files.", ApiAnswer.Json(ApiJson.Wire.BatchAnswer)) { Scope = Scopes.Infer },
        new ApiOperation("POST", "batches/{batchId}/cancel", "CancelBatch", "Cancels a batch; what is answered by then is in its files.", ApiAnswer.Json(ApiJson.Wire.BatchAnswer))
        {
            Scope = Scopes.Infer, Errors = [409],
        });
}
