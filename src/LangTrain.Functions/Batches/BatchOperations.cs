using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Batches;
using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.Batches;

/// <summary>Describes the endpoints of batches.</summary>
internal static class BatchOperations
{
    /// <summary>The feature.</summary>
    public static ApiTag Tag { get; } = new("Batches", "Files of requests that are answered within a day, after what somebody waits for; OpenAI's shapes.",
        new ApiOperation("POST", "batches", "CreateBatch", "Starts a batch of the requests in a file.", ApiAnswer.Json(ApiJson.Wire.BatchAnswer).OrTogethers(ApiJson.Wire.TogetherBatchCreatedAnswer))
        {
            Scope = Scopes.Infer,
            IsIdempotent = true,
            Errors = [404],
            Body = ApiBody.Read(body => BatchRequest.FromRequest(body), """
                { "input_file_id": "file-01jabc", "endpoint": "/v1/chat/completions", "completion_window": "24h" }
                """) with
            {
                Notes = new Dictionary<string, string>
                {
                    ["input_file_id"] = "A file of purpose `batch`: on each line `custom_id`, `method`, `url` and `body`.",
                    ["endpoint"] = "Where every line goes.",
                    ["completion_window"] = "What is not answered by then is given up.",
                    ["metadata"] = "Your own notes.",
                    ["output_expires_after"] = "When the files of answers are deleted; never where it is left out.",
                    ["output_expires_after.anchor"] = "From when on the time is counted.",
                    ["output_expires_after.seconds"] = "How long they are kept.",
                },
            },
        },
        new ApiOperation("GET", "batches", "ListBatches", "Lists batches.", ApiAnswer.Json(ApiJson.Wire.ListAnswerBatchAnswer).OrTogethers(ApiJson.Wire.TogetherBatchAnswerArray)) { Scope = Scopes.Infer, Query = ApiQuery.Page },
        new ApiOperation("GET", "batches/{batchId}", "GetBatch", "Gives one batch.", ApiAnswer.Json(ApiJson.Wire.BatchAnswer).OrTogethers(ApiJson.Wire.TogetherBatchAnswer)) { Scope = Scopes.Infer },
        new ApiOperation("POST", "batches/{batchId}/cancel", "CancelBatch", "Cancels a batch; what was answered by then is kept.", ApiAnswer.Json(ApiJson.Wire.BatchAnswer).OrTogethers(ApiJson.Wire.TogetherBatchAnswer))
        {
            Scope = Scopes.Infer, Errors = [409],
        });
}
