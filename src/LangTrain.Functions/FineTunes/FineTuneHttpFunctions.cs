using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Together;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Http;
using LangTrain.Core.Idempotency;
using LangTrain.Core.Together;
using LangTrain.Functions.Http;
using LangTrain.Functions.Together;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.FineTunes;

/// <summary>Fine-tunes: create, look at, cancel, pause, resume.</summary>
public sealed class FineTuneHttpFunctions(
    SubmitFineTune submit, EstimateFineTune estimate, ControlFineTune control, ListFineTunes list, IFineTuneStore store, IdempotentRequests once)
{
    /// <summary><c>POST /fine-tunes</c>, in this product's own shape or in that of the together-ai client.</summary>
    [Function("CreateFineTune")]
    public Task<IResult> CreateFineTune(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "fine-tunes")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Train);
        return request.IsTogethers()
            ? request.RunOnceAsync(once, caller, ApiJson.Wire.TogetherFineTuneAnswer, async (body, seed, stop) => (await SubmitAsync(body, seed, stop)).ToTogether(), cancellation, TogetherClient.MediaType)
            : request.RunOnceAsync(once, caller, ApiJson.Wire.FineTuneAnswer, async (body, seed, stop) => (await SubmitAsync(body, seed, stop)).ToAnswer(request.BaseUrl()), cancellation);

        async Task<FineTune> SubmitAsync(RequestObject body, string seed, CancellationToken stop)
        {
            var (wish, isTogethers) = Read(body);
            try
            {
                var job = await submit.ExecuteAsync(caller, wish, seed, stop);
                // The row first: a death in between is found by the sweep.
                await orchestrations.EnsureStartedAsync(job.Ref(), restartEnded: false, stop);
                return job;
            }
            catch (ApiException refused) when (isTogethers)
            {
                throw FineTuningJobRequest.InItsNames(refused);
            }
        }
    }

    /// <summary><c>POST /fine-tunes/estimate</c>: a dry run of the same request; nothing is stored.</summary>
    [Function("EstimateFineTune")]
    public async Task<IResult> EstimateFineTune(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "fine-tunes/estimate")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Train);
        var (wish, isTogethers) = Read(await request.ReadJsonAsync(cancellation));
        try
        {
            return Answer.Json(await estimate.ExecuteAsync(caller, wish, cancellation), ApiJson.Wire.FineTuneEstimateAnswer);
        }
        catch (ApiException refused) when (isTogethers)
        {
            throw FineTuningJobRequest.InItsNames(refused);
        }
    }

    /// <summary><c>GET /fine-tunes</c>: a page, newest first; see <see cref="FineTuneFilter"/> for what narrows it.</summary>
    [Function("ListFineTunes")]
    public async Task<IResult> ListFineTunes(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "fine-tunes")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Read);
        var page = await list.ExecuteAsync(caller.AccountId, request.ReadPage(), FineTuneFilter.FromRequest(request.QueryValues()), cancellation);
        if (request.IsTogethers())
        {
            return TogetherClient.Json(new TogetherListAnswer<TogetherFineTuneAnswer>([.. page.Items.Select(job => job.ToTogether())]), ApiJson.Wire.TogetherListAnswerTogetherFineTuneAnswer);
        }

        var answers = page.Items.Select(job => job.ToAnswer(request.BaseUrl())).ToArray();
        return Answer.Json(ListAnswer.Of(answers, page.HasMore, job => job.Id), ApiJson.Wire.ListAnswerFineTuneAnswer);
    }

    /// <summary><c>GET /fine-tunes/{id}</c>.</summary>
    [Function("GetFineTune")]
    public async Task<IResult> GetFineTune(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "fine-tunes/{jobId}")] HttpRequest request, string jobId, CancellationToken cancellation)
    {
        return Show(request, await store.GetAsync(request.Caller(Scopes.Read), jobId, cancellation));
    }

    /// <summary><c>DELETE /fine-tunes/{id}</c>: cancels; 204.</summary>
    [Function("DeleteFineTune")]
    public async Task<IResult> DeleteFineTune(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "fine-tunes/{jobId}")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        string jobId,
        CancellationToken cancellation)
    {
        await ControlAsync(request, orchestrations, jobId, FineTuneControl.Cancel, cancellation);
        return request.IsTogethers()
            ? TogetherClient.Json(new TogetherMessageAnswer($"The fine-tune {jobId} is cancelled, or about to be."), ApiJson.Wire.TogetherMessageAnswer)
            : Answer.Nothing();
    }

    /// <summary><c>POST /fine-tunes/{id}/cancel</c>.</summary>
    [Function("CancelFineTune")]
    public async Task<IResult> CancelFineTune(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "fine-tunes/{jobId}/cancel")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        string jobId,
        CancellationToken cancellation) =>
        Show(request, await ControlAsync(request, orchestrations, jobId, FineTuneControl.Cancel, cancellation));

    /// <summary><c>POST /fine-tunes/{id}/pause</c>.</summary>
    [Function("PauseFineTune")]
    public async Task<IResult> PauseFineTune(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "fine-tunes/{jobId}/pause")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        string jobId,
        CancellationToken cancellation) =>
        Show(request, await ControlAsync(request, orchestrations, jobId, FineTuneControl.Pause, cancellation));

    /// <summary><c>POST /fine-tunes/{id}/resume</c>.</summary>
    [Function("ResumeFineTune")]
    public async Task<IResult> ResumeFineTune(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "fine-tunes/{jobId}/resume")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        string jobId,
        CancellationToken cancellation) =>
        Show(request, await ControlAsync(request, orchestrations, jobId, FineTuneControl.Resume, cancellation));

    private static (FineTuneRequest Wish, bool IsTogethers) Read(RequestObject body) => TogetherFineTuneRequest.IsOne(body)
        ? (TogetherFineTuneRequest.FromRequest(body), true)
        : (FineTuneRequest.FromRequest(body), false);

    private static IResult Show(HttpRequest request, FineTune job) => request.Either(
        () => job.ToAnswer(request.BaseUrl()), ApiJson.Wire.FineTuneAnswer, job.ToTogether, ApiJson.Wire.TogetherFineTuneAnswer);

    private Task<FineTune> ControlAsync(
        HttpRequest request, DurableTaskClient orchestrations, string jobId, FineTuneControl wish, CancellationToken cancellation) =>
        orchestrations.ControlAsync(control, new FineTuneRef(request.Caller(Scopes.Train).AccountId, jobId), wish, cancellation);
}
