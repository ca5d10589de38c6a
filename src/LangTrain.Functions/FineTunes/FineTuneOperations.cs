using System.Text.Json;
using System.Text.Json.Nodes;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Accounts;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Http;
using LangTrain.Functions.Http;
using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.FineTunes;

/// <summary>Describes the endpoints of fine-tunes.</summary>
internal static class FineTuneOperations
{
    private static readonly ApiQuery[] EventQuery =
    [
        new("after", """{"type":"integer","minimum":0}""", "Sequence number after which to go on (`last_id`)."),
        new("order", """{"type":"string","enum":["asc","desc"],"default":"asc"}""", "`asc` is oldest first."),
        new("limit", """{"type":"integer","minimum":1,"maximum":1000,"default":100}""", "Most events of the page."),
    ];

    /// <summary>What narrows a list of jobs.</summary>
    internal static IReadOnlyList<ApiQuery> ListQuery { get; } =
    [
        .. ApiQuery.Page,
        ApiQuery.OneOf("status", "Only jobs that stand so.", FineTuneStatusWords.All),
        ApiQuery.Text("model", "Only jobs that train this model, or made it."),
        ApiQuery.Text("name", "Only jobs whose name holds this, in upper or lower case."),
        ApiQuery.Text("created_after", "Only jobs made at this moment or later: seconds since 1970, or ISO 8601."),
        ApiQuery.Text("created_before", "Only jobs made before this moment."),
        new("metadata", """{"anyOf":[{"const":"null"},{"type":"object","additionalProperties":{"type":"string"}}]}""",
            "As `metadata[key]=value`: only jobs with these notes; `metadata=null`: only jobs without any.") { IsDeepObject = true },
    ];

    private const string Streams = "With `Accept: text/event-stream` the events come as they happen until the job has ended; the `id` of each is its sequence number, "
        + "and `Last-Event-ID` goes on after one.";

    private static readonly ApiBody Create = ApiBody.Read(body => FineTuneRequest.FromRequest(body), """
        {
          "model_id": "langtrain/tiny",
          "name": "Support answers",
          "dataset": { "type": "jsonl", "file_id": "file-abc" },
          "config": {
            "method": "lora",
            "lora_config": { "r": 16, "alpha": 32, "target_modules": ["q_proj", "v_proj"] },
            "training_config": { "epochs": 3, "batch_size": 4, "learning_rate": 0.0002 }
          }
        }
        """) with
    {
        Otherwise = ("TogetherFineTuneRequest", () => RequestShape.Of(body => TogetherFineTuneRequest.FromRequest(body))),
        Like = [("config", LangTrainJson.Default.FineTuneConfig, JsonSerializer.SerializeToNode(new FineTuneConfig(), LangTrainJson.Default.FineTuneConfig) as JsonObject)],
        Notes = new Dictionary<string, string>
        {
            ["model_id"] = "Model to train: the id of a base model or of an own full model.",
            ["name"] = "Name for people; made from model and time where it is left out.",
            ["suffix"] = "Part of the trained model's id.",
            ["metadata"] = "Notes of your own, given back with the job.",
            ["dataset"] = "Training data, JSONL: exactly one of `url` and `file_id`.",
            ["dataset.url"] = "http(s) address of a JSONL file, perhaps gzipped.",
            ["dataset.file_id"] = "An uploaded file.",
            ["dataset.validation_file_id"] = "An uploaded file with rows for evaluation.",
            ["config"] = "How to train; every key may be left out.",
        },
    };

    /// <summary>The feature.</summary>
    public static ApiTag Tag { get; } = new("Fine-tunes", "Jobs that train a model on your data.",
        new ApiOperation("POST", "fine-tunes", "CreateFineTune", "Starts a fine-tune.", ApiAnswer.Json(ApiJson.Wire.FineTuneAnswer, "The job.").OrTogethers(ApiJson.Wire.TogetherFineTuneAnswer))
        {
            Scope = Scopes.Train, Body = Create, IsIdempotent = true, Errors = [404, 409],
        },
        new ApiOperation("POST", "fine-tunes/estimate", "EstimateFineTune", "Checks a fine-tune's request and data, and reckons tokens, steps, memory and time.",
            ApiAnswer.Json(ApiJson.Wire.FineTuneEstimateAnswer, "The report on the data and, where it is good, the estimate."))
        {
            Scope = Scopes.Train, Body = Create, Description = "A dry run: nothing is stored, nothing is trained.", Errors = [404, 409],
        },
        new ApiOperation("GET", "fine-tunes", "ListFineTunes", "Lists fine-tunes.", ApiAnswer.Json(ApiJson.Wire.ListAnswerFineTuneAnswer).OrTogethers(ApiJson.Wire.TogetherListAnswerTogetherFineTuneAnswer))
        {
            Scope = Scopes.Read,
            Query = ListQuery,
        },
        new ApiOperation("GET", "fine-tunes/{jobId}", "GetFineTune", "Gives one fine-tune.", ApiAnswer.Json(ApiJson.Wire.FineTuneAnswer).OrTogethers(ApiJson.Wire.TogetherFineTuneAnswer)) { Scope = Scopes.Read },
        new ApiOperation("DELETE", "fine-tunes/{jobId}", "DeleteFineTune", "Cancels a fine-tune.", ApiAnswer.Empty(204, "Cancelled, or about to be."))
        {
            Scope = Scopes.Train, Errors = [409], AlsoTogether = ApiJson.Wire.TogetherMessageAnswer,
        },
        new ApiOperation("POST", "fine-tunes/{jobId}/cancel", "CancelFineTune", "Cancels a fine-tune.", ApiAnswer.Json(ApiJson.Wire.FineTuneAnswer).OrTogethers(ApiJson.Wire.TogetherFineTuneAnswer))
        {
            Scope = Scopes.Train, Errors = [409],
        },
        new ApiOperation("POST", "fine-tunes/{jobId}/pause", "PauseFineTune", "Pauses a fine-tune; it keeps a checkpoint.", ApiAnswer.Json(ApiJson.Wire.FineTuneAnswer).OrTogethers(ApiJson.Wire.TogetherFineTuneAnswer))
        {
            Scope = Scopes.Train, Errors = [409],
        },
        new ApiOperation("POST", "fine-tunes/{jobId}/resume", "ResumeFineTune", "Resumes a paused fine-tune from its checkpoint.", ApiAnswer.Json(ApiJson.Wire.FineTuneAnswer).OrTogethers(ApiJson.Wire.TogetherFineTuneAnswer))
        {
            Scope = Scopes.Train, Errors = [409],
        },
        new ApiOperation("GET", "fine-tunes/{jobId}/events", "ListFineTuneEvents", "Lists what happened in a job, or streams it.",
            ApiAnswer.JsonOrEvents(ApiJson.Wire.ListAnswerJobEvent, ApiJson.Wire.JobEvent).OrTogethers(ApiJson.Wire.TogetherListAnswerTogetherEventAnswer))
        {
            Scope = Scopes.Read,
            Query = EventQuery,
            Description = Streams,
        },
        new ApiOperation("GET", "fine-tunes/{jobId}/metrics", "ListFineTuneMetrics", "Lists the numbers of a job's steps and evaluations, or streams them.",
            ApiAnswer.JsonOrEvents(ApiJson.Wire.ListAnswerJobEvent, ApiJson.Wire.JobEvent).OrTogethers(ApiJson.Wire.TogetherMetricsAnswer))
        {
            Scope = Scopes.Read, Query = EventQuery, Description = Streams,
        },
        new ApiOperation("GET", "fine-tunes/{jobId}/checkpoints", "ListFineTuneCheckpoints", "Lists when a job's checkpoints were stored, or streams it.",
            ApiAnswer.JsonOrEvents(ApiJson.Wire.ListAnswerJobEvent, ApiJson.Wire.JobEvent).OrTogethers(ApiJson.Wire.TogetherListAnswerTogetherCheckpointAnswer))
        {
            Scope = Scopes.Read, Query = EventQuery, Description = Streams,
        },
        new ApiOperation("GET", "fine-tunes/{jobId}/logs", "GetFineTuneLogs", "Gives a job's log as text, or streams its lines.",
            ApiAnswer.Other("text/plain", "One line an event.") with { Events = ApiJson.Wire.JobEvent })
        {
            Scope = Scopes.Read, Description = Streams,
        },
        new ApiOperation("GET", "fine-tunes/{jobId}/stream", FunctionNames.StreamFineTune, "Sends a WebSocket client to the job's live events.",
            ApiAnswer.Empty(302, "The address of the WebSocket. Every message is one JSON object with `type`; what happened before comes first."))
        {
            Scope = Scopes.Read,
            Query = [ApiQuery.Text("token", "The API key, for clients that can set no header.")],
        },
        new ApiOperation("POST", "fine-tunes/{jobId}/stream/negotiate", "NegotiateFineTuneStream", "Gives the address of the job's live events, for browsers.",
            ApiAnswer.Json(ApiJson.Wire.StreamTicketAnswer))
        {
            Scope = Scopes.Read,
        });
}
