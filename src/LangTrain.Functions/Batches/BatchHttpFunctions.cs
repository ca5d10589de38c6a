using LangTrain.Contracts;
using LangTrain.Contracts.Batches;
using LangTrain.Contracts.Together;
using LangTrain.Core.Accounts;
using LangTrain.Core.Batches;
using LangTrain.Core.Errors;
using LangTrain.Core.Idempotency;
using LangTrain.Core.Together;
using LangTrain.Functions.Http;
using LangTrain.Functions.Together;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.Batches;

/// <summary>Batches in OpenAI's shape: a file of requests in, files of answers out.</summary>
public sealed class BatchHttpFunctions(SubmitBatch submit, CancelBatch cancel, IBatchStore store, IdempotentRequests once)
{
    /// <summary><c>POST /batches</c>.</summary>
    [Function("CreateBatch")]
    public Task<IResult> CreateBatch(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "batches")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Infer);
        return request.IsTogethers()
            ? request.RunOnceAsync(once, caller, ApiJson.Wire.TogetherBatchCreatedAnswer, async (body, seed, stop) =>
                new TogetherBatchCreatedAnswer((await SubmitAsync(BatchRequest.FromRequest(body, needsWindow: false), seed, stop)).ToTogether()), cancellation, TogetherClient.MediaType)
            : request.RunOnceAsync(once, caller, ApiJson.Wire.BatchAnswer, async (body, seed, stop) => (await SubmitAsync(BatchRequest.FromRequest(body), seed, stop)).ToAnswer(), cancellation);

        async Task<Batch> SubmitAsync(BatchRequest wish, string seed, CancellationToken stop)
        {
            var batch = await submit.ExecuteAsync(caller, wish, seed, stop);
            // The row first: a death in between is found by the sweep.
            await orchestrations.EnsureStartedAsync(batch.Ref(), restartEnded: false, stop);
            return batch;
        }
    }

    /// <summary><c>GET /batches</c>: a page, newest first.</summary>
    [Function("ListBatches")]
    public async Task<IResult> ListBatches(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "batches")] HttpRequest request, CancellationToken cancellation)
    {
        var page = await store.ListAsync(request.Caller(Scopes.Infer).AccountId, request.ReadPage(), cancellation);
        if (request.IsTogethers())
        {
            return TogetherClient.Json([.. page.Items.Select(batch => batch.ToTogether())], ApiJson.Wire.TogetherBatchAnswerArray);
        }

        var answers = page.Items.Select(batch => batch.ToAnswer()).ToArray();
        return Answer.Json(ListAnswer.Of(answers, page.HasMore, batch => batch.Id), ApiJson.Wire.ListAnswerBatchAnswer);
    }

    /// <summary><c>GET /batches/{id}</c>.</summary>
    [Function("GetBatch")]
    public async Task<IResult> GetBatch(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "batches/{batchId}")] HttpRequest request, string batchId, CancellationToken cancellation)
    {
        var found = await store.FindAsync(new BatchRef(request.Caller(Scopes.Infer).AccountId, batchId), cancellation);
        return Show(request, found?.Value ?? throw ApiErrors.NotFound("batch", batchId));
    }

    /// <summary><c>POST /batches/{id}/cancel</c>: what was answered by then is kept.</summary>
    [Function("CancelBatch")]
    public async Task<IResult> CancelBatch(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "batches/{batchId}/cancel")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        string batchId,
        CancellationToken cancellation)
    {
        var batch = await cancel.ExecuteAsync(new BatchRef(request.Caller(Scopes.Infer).AccountId, batchId), cancellation);
        await orchestrations.EnsureStartedAsync(batch.Ref(), restartEnded: false, cancellation);
        return Show(request, batch);
    }

    private static IResult Show(HttpRequest request, Batch batch) => request.Either(batch.ToAnswer, ApiJson.Wire.BatchAnswer, batch.ToTogether, ApiJson.Wire.TogetherBatchAnswer);
}
