using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Core.Idempotency;
using LangTrain.Functions.FineTunes;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.Files;

/// <summary>Files in parts, in OpenAI's shapes; parts come through here or go straight to storage.</summary>
public sealed class UploadHttpFunctions(PartedUploads uploads, IdempotentRequests once)
{
    /// <summary><c>POST /uploads</c>.</summary>
    [Function("CreateUpload")]
    public Task<IResult> CreateUpload(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "uploads")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Train);
        return request.RunOnceAsync(once, caller, ApiJson.Wire.UploadAnswer, async (body, seed, stop) =>
            await uploads.ToAnswerAsync(await uploads.CreateAsync(caller.AccountId, UploadRequest.FromRequest(body), seed, stop), stop), cancellation);
    }

    /// <summary><c>GET /uploads/{id}</c>.</summary>
    [Function("GetUpload")]
    public async Task<IResult> GetUpload(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "uploads/{uploadId}")] HttpRequest request, string uploadId, CancellationToken cancellation)
    {
        var upload = await uploads.GetAsync(request.Caller(Scopes.Read).AccountId, uploadId, cancellation);
        return Answer.Json(await uploads.ToAnswerAsync(upload, cancellation), ApiJson.Wire.UploadAnswer);
    }

    /// <summary><c>POST /uploads/{id}/parts</c>: a form with <c>data</c>; or <c>{"direct": true}</c>, answered with an address in storage for the bytes.</summary>
    [Function("AddUploadPart")]
    public async Task<IResult> AddUploadPart(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "uploads/{uploadId}/parts")] HttpRequest request, string uploadId, CancellationToken cancellation)
    {
        var accountId = request.Caller(Scopes.Train).AccountId;
        await uploads.GetAsync(accountId, uploadId, cancellation);
        request.RefuseIdempotencyKey();
        if (request.HasJsonContentType())
        {
            var body = await request.ReadJsonAsync(cancellation, maxBytes: 4096);
            if (body.Flag("direct") is not true)
            {
                body.Problems.Add("direct", "direct must be true; parts with their bytes come as a form with 'data'.");
            }

            body.RefuseUnknownKeys();
            body.Problems.ThrowIfAny();
            return Answer.Json(await uploads.LinkPartAsync(accountId, uploadId, cancellation), ApiJson.Wire.UploadPartAnswer);
        }

        await foreach (var part in MultipartForm.ReadAsync(request, PartedUploads.MaxPartBytes + (1 << 20), cancellation))
        {
            return part is { Name: "data", Filename: not null }
                ? Answer.Json(await uploads.StorePartAsync(accountId, uploadId, part.Content, cancellation), ApiJson.Wire.UploadPartAnswer)
                : throw ApiErrors.Invalid($"'{ApiErrors.Shorten(part.Name)}' is not a known field; the form has one file, 'data'.", part.Name, "unknown_parameter");
        }

        throw ApiErrors.Invalid("data is required.", "data", "missing_required_parameter");
    }

    /// <summary><c>POST /uploads/{id}/complete</c>: <c>part_ids</c> in order, <c>md5</c>. Doing it again gives the same file. A large one is <c>uploaded</c> first and <c>processed</c> later.</summary>
    [Function("CompleteUpload")]
    public async Task<IResult> CompleteUpload(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "uploads/{uploadId}/complete")] HttpRequest request,
        [DurableClient] DurableTaskClient orchestrations,
        string uploadId,
        CancellationToken cancellation)
    {
        var accountId = request.Caller(Scopes.Train).AccountId;
        await uploads.GetAsync(accountId, uploadId, cancellation);
        var body = await request.ReadJsonAsync(cancellation);
        var parts = body.Texts("part_ids", maxCount: 10_000, maxLength: 128);
        if (!body.Has("part_ids"))
        {
            body.Missing("part_ids");
        }

        var md5 = body.Text("md5", maxLength: 32, minLength: 32);
        body.RefuseUnknownKeys();
        body.Problems.ThrowIfAny();
        var upload = await uploads.CompleteAsync(
            accountId, uploadId, parts!, md5,
            later => orchestrations.EnsureStartedAsync(AssembleUploadOrchestration.Name, later.UploadId, later, restartEnded: true, cancellation), cancellation);
        return Answer.Json(await uploads.ToAnswerAsync(upload, cancellation), ApiJson.Wire.UploadAnswer);
    }

    /// <summary><c>POST /uploads/{id}/cancel</c>.</summary>
    [Function("CancelUpload")]
    public async Task<IResult> CancelUpload(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "uploads/{uploadId}/cancel")] HttpRequest request, string uploadId, CancellationToken cancellation)
    {
        var upload = await uploads.CancelAsync(request.Caller(Scopes.Train).AccountId, uploadId, cancellation);
        return Answer.Json(await uploads.ToAnswerAsync(upload, cancellation), ApiJson.Wire.UploadAnswer);
    }
}
