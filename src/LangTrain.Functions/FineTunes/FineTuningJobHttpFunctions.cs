using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Idempotency;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.FineTunes;

/// <summary>The same fine-tunes under OpenAI's names and in its shapes, for its clients as they are.</summary>
public sealed class FineTuningJobHttpFunctions(
    SubmitFineTune submit, ControlFineTune control, ListFineTunes list, ReadFineTuneEvents events, IFineTuneStore store, IdempotentRequests once, TimeProvider time)
{
    /// <summary><c>POST /fine_tuning/jobs</c>.</summary>
    [Function("CreateFineTuningJob")]
    public Task<IResult> CreateJob(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "fine_tuning/jobs")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Train);
        return request.RunOnceAsync(once, caller, ApiJson.Wire.FineTuningJobAnswer, async (body, seed, stop) =>
        {
            var wish = FineTuningJobRequest.FromRequest(body);
            try
            {
                var job = await submit.ExecuteAsync(caller, wish, seed, stop);
                await orchestrations.EnsureStartedAsync(job.Ref(), restartEnded: false, stop);
                return job.ToFineTuningJob(time.GetUtcNow());
            }
            catch (ApiException refused)
            {
                throw FineTuningJobRequest.InItsNames(refused);
            }
        }, cancellation);
    }

    /// <summary><c>GET /fine_tuning/jobs</c>: a page, newest first.</summary>
    [Function("ListFineTuningJobs")]
    public async Task<IResult> ListJobs(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "fine_tuning/jobs")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Read);
        var page = await list.ExecuteAsync(caller.AccountId, request.ReadPage(), FineTuneFilter.FromRequest(request.QueryValues()), cancellation);
        var answers = page.Items.Select(job => job.ToFineTuningJob(time.GetUtcNow())).ToArray();
        return Answer.Json(ListAnswer.Of(answers, page.HasMore, job => job.Id), ApiJson.Wire.ListAnswerFineTuningJobAnswer);
    }

    /// <summary><c>GET /fine_tuning/jobs/{id}</c>.</summary>
    [Function("GetFineTuningJob")]
    public async Task<IResult> GetJob(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "fine_tuning/jobs/{jobId}")] HttpRequest request, string jobId, CancellationToken cancellation) =>
        Show(await store.GetAsync(request.Caller(Scopes.Read), jobId, cancellation));

    /// <summary><c>POST /fine_tuning/jobs/{id}/cancel</c>.</summary>
    [Function("CancelFineTuningJob")]
    public async Task<IResult> CancelJob(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "fine_tuning/jobs/{jobId}/cancel")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        string jobId,
        CancellationToken cancellation) =>
        Show(await orchestrations.ControlAsync(control, Ref(request, jobId), FineTuneControl.Cancel, cancellation));

    /// <summary><c>POST /fine_tuning/jobs/{id}/pause</c>.</summary>
    [Function("PauseFineTuningJob")]
    public async Task<IResult> PauseJob(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "fine_tuning/jobs/{jobId}/pause")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        string jobId,
        CancellationToken cancellation) =>
        Show(await orchestrations.ControlAsync(control, Ref(request, jobId), FineTuneControl.Pause, cancellation));

    /// <summary><c>POST /fine_tuning/jobs/{id}/resume</c>.</summary>
    [Function("ResumeFineTuningJob")]
    public async Task<IResult> ResumeJob(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "fine_tuning/jobs/{jobId}/resume")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        string jobId,
        CancellationToken cancellation) =>
        Show(await orchestrations.ControlAsync(control, Ref(request, jobId), FineTuneControl.Resume, cancellation));

    /// <summary><c>GET /fine_tuning/jobs/{id}/events</c>: a page, newest first.</summary>
    [Function("ListFineTuningEvents")]
    public async Task<IResult> ListEvents(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "fine_tuning/jobs/{jobId}/events")] HttpRequest request, string jobId, CancellationToken cancellation)
    {
        var job = await store.GetAsync(request.Caller(Scopes.Read), jobId, cancellation);
        var page = request.ReadPage();
        var before = page.After is { } id
            ? FineTuningJobAnswers.SequenceOf(job.Id, id) ?? throw ApiErrors.Invalid("after must be the id of an event of this job.", "after")
            : (long?)null;
        var found = await events.NewestAsync(job.Ref(), before, page.Limit, cancellation: cancellation);
        var answers = found.Items.Select(told => told.ToFineTuningEvent()).ToArray();
        return Answer.Json(ListAnswer.Of(answers, found.HasMore, told => told.Id), ApiJson.Wire.ListAnswerFineTuningEventAnswer);
    }

    /// <summary><c>GET /fine_tuning/jobs/{id}/checkpoints</c>: those that are stored, newest first.</summary>
    [Function("ListFineTuningCheckpoints")]
    public async Task<IResult> ListCheckpoints(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "fine_tuning/jobs/{jobId}/checkpoints")] HttpRequest request, string jobId, CancellationToken cancellation)
    {
        var job = await store.GetAsync(request.Caller(Scopes.Read), jobId, cancellation);
        return Answer.Json(request.PageOf(await events.CheckpointsAsync(job, cancellation), one => one.Id), ApiJson.Wire.ListAnswerFineTuningCheckpointAnswer);
    }

    private static FineTuneRef Ref(HttpRequest request, string jobId) => new(request.Caller(Scopes.Train).AccountId, jobId);

    private IResult Show(FineTune job) => Answer.Json(job.ToFineTuningJob(time.GetUtcNow()), ApiJson.Wire.FineTuningJobAnswer);
}
