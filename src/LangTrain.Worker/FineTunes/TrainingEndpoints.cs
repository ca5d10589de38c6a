using System.Text.Json;
using LangTrain.Contracts;
using LangTrain.Contracts.Generation;
using LangTrain.Worker.Generation;

namespace LangTrain.Worker.FineTunes;

/// <summary>The part of the worker's internal API that is about training: estimates.</summary>
internal static class TrainingEndpoints
{
    /// <summary>Adds the routes; they want the worker key.</summary>
    public static void MapTraining(this WebApplication app) =>
        app.MapGroup("").AddEndpointFilter<WorkerKeyFilter>().MapPost(WorkerRoutes.Estimate, EstimateAsync);

    private static async Task EstimateAsync(HttpContext http, EstimateTraining estimate, ILoggerFactory loggers)
    {
        try
        {
            var item = await JsonSerializer.DeserializeAsync(http.Request.Body, LangTrainJson.Default.EstimateWorkItem, http.RequestAborted)
                ?? throw new JsonException("The body is null.");
            var answer = await estimate.ExecuteAsync(item, http.RequestAborted);
            await http.Response.WriteAsJsonAsync(answer, LangTrainJson.Default.TrainingEstimateAnswer);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            var (error, isInternal) = TrainingFailures.Describe(failure);
            if (isInternal)
            {
                loggers.CreateLogger(typeof(TrainingEndpoints)).EstimateFailed(failure, http.TraceIdentifier);
            }

            var status = isInternal ? StatusCodes.Status500InternalServerError
                : error.Code == "model_not_ready" ? StatusCodes.Status409Conflict : StatusCodes.Status400BadRequest;
            http.Response.StatusCode = status;
            await http.Response.WriteAsJsonAsync(
                new GenerationFailure(status, error.Code, isInternal ? "The estimate failed." : error.Message, error.Code == "dataset_invalid" ? "dataset" : null),
                LangTrainJson.Default.GenerationFailure);
        }
    }
}
