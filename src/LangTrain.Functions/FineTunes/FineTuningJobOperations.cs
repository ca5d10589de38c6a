using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.FineTunes;
using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.FineTunes;

/// <summary>Describes OpenAI's names for fine-tunes.</summary>
internal static class FineTuningJobOperations
{
    private static readonly ApiBody Create = ApiBody.Read(body => FineTuningJobRequest.FromRequest(body), """
        {
          "model": "langtrain/tiny",
          "training_file": "file-abc",
          "suffix": "support",
          "seed": 7,
          "method": { "type": "supervised", "supervised": { "hyperparameters": { "n_epochs": 3, "batch_size": "auto" } } }
        }
        """) with
    {
        Notes = new Dictionary<string, string>
        {
            ["model"] = "Model to train: the id of a base model or of an own model.",
            ["training_file"] = "Id of an uploaded file.",
            ["validation_file"] = "Id of an uploaded file with rows for evaluation.",
            ["suffix"] = "Part of the trained model's id.",
            ["seed"] = "Seed of everything random.",
            ["metadata"] = "Notes of your own, given back with the job.",
            ["method"] = "How to train; supervised where it is left out.",
            ["hyperparameters"] = "The older place of what `method` holds.",
        },
    };

    /// <summary>The feature.</summary>
    public static ApiTag Tag { get; } = new("Fine-tuning jobs", "The same fine-tunes under OpenAI's names and in its shapes.",
        new ApiOperation("POST", "fine_tuning/jobs", "CreateFineTuningJob", "Starts a fine-tune.", ApiAnswer.Json(ApiJson.Wire.FineTuningJobAnswer, "The job."))
        {
            Scope = Scopes.Train, Body = Create, IsIdempotent = true, Errors = [404, 409],
        },
        new ApiOperation("GET", "fine_tuning/jobs", "ListFineTuningJobs", "Lists fine-tunes.", ApiAnswer.Json(ApiJson.Wire.ListAnswerFineTuningJobAnswer))
        {
            Scope = Scopes.Read, Query = FineTuneOperations.ListQuery,
        },
        new ApiOperation("GET", "fine_tuning/jobs/{jobId}", "GetFineTuningJob", "Gives one fine-tune.", ApiAnswer.Json(ApiJson.Wire.FineTuningJobAnswer)) { Scope = Scopes.Read },
        new ApiOperation("POST", "fine_tuning/jobs/{jobId}/cancel", "CancelFineTuningJob", "Cancels a fine-tune.", ApiAnswer.Json(ApiJson.Wire.FineTuningJobAnswer))
        {
            Scope = Scopes.Train, Errors = [409],
        },
        new ApiOperation("POST", "fine_tuning/jobs/{jobId}/pause", "PauseFineTuningJob", "Pauses a fine-tune; it keeps a checkpoint.", ApiAnswer.Json(ApiJson.Wire.FineTuningJobAnswer))
        {
            Scope = Scopes.Train, Errors = [409],
        },
        new ApiOperation("POST", "fine_tuning/jobs/{jobId}/resume", "ResumeFineTuningJob", "Resumes a paused fine-tune.", ApiAnswer.Json(ApiJson.Wire.FineTuningJobAnswer))
        {
            Scope = Scopes.Train, Errors = [409],
        },
        new ApiOperation("GET", "fine_tuning/jobs/{jobId}/events", "ListFineTuningEvents", "Lists what happened in a job, newest first.", ApiAnswer.Json(ApiJson.Wire.ListAnswerFineTuningEventAnswer))
        {
            Scope = Scopes.Read, Query = ApiQuery.Page,
        },
        new ApiOperation("GET", "fine_tuning/jobs/{jobId}/checkpoints", "ListFineTuningCheckpoints", "Lists a job's stored checkpoints, newest first.",
            ApiAnswer.Json(ApiJson.Wire.ListAnswerFineTuningCheckpointAnswer))
        {
            Scope = Scopes.Read, Query = ApiQuery.Page,
        });
}
