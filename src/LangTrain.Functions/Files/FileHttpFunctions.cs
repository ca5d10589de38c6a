using System.Text;
using LangTrain.Contracts;
using LangTrain.Contracts.Together;
using LangTrain.Core.Accounts;
using LangTrain.Core.Files;
using LangTrain.Core.Http;
using LangTrain.Core.Idempotency;
using LangTrain.Core.Together;
using LangTrain.Functions.Http;
using LangTrain.Functions.Together;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Files;

/// <summary>Uploaded files, in OpenAI's shapes.</summary>
public sealed class FileHttpFunctions(UploadedFiles files, DeleteFile delete, TogetherFiles announced, IdempotentRequests once)
{
    /// <summary><c>POST /files</c>: multipart with <c>file</c> and <c>purpose</c>, streamed to storage; or as the together-ai client announces a file, see <see cref="TogetherFiles"/>.</summary>
    [Function("UploadFile")]
    public async Task<IResult> UploadFile(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "files")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Train);
        if (TogetherFiles.IsAnnouncement(request))
        {
            return announced.Announce(request, caller);
        }

        var form = await FileUploadForm.ReadAsync(request, files, caller.AccountId, cancellation);
        var used = false;
        try
        {
            var fingerprint = Encoding.UTF8.GetBytes($"{form.Upload.Sha256}\n{form.Upload.Filename}\n{form.Purpose}\n{form.Lifetime}");
            return await request.RunOnceAsync(once, caller, ApiJson.Wire.FileAnswer, fingerprint, async (seed, stop) =>
            {
                var file = await files.CreateAsync(caller.AccountId, form.Upload, form.Purpose, form.Lifetime, seed, stop);
                used = true;
                return file.ToAnswer();
            }, cancellation);
        }
        finally
        {
            // Refused, or the answer of an earlier upload was given: these bytes are nobody's.
            if (!used)
            {
                await files.DiscardAsync(form.Upload, CancellationToken.None);
            }
        }
    }

    /// <summary><c>GET /files</c>: a page; <c>?purpose</c> narrows it.</summary>
    [Function("ListFiles")]
    public async Task<IResult> ListFiles(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "files")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Read);
        var page = await files.ListAsync(
            caller.AccountId, PageQuery.FromRequest(request.QueryValue, PageQuery.MaxFiles, PageQuery.MaxFiles), request.QueryValue("purpose"), cancellation);
        if (request.IsTogethers())
        {
            return TogetherClient.Json(new TogetherListAnswer<TogetherFileAnswer>([.. page.Items.Select(file => file.ToTogether())]), ApiJson.Wire.TogetherListAnswerTogetherFileAnswer);
        }

        var answers = page.Items.Select(file => file.ToAnswer()).ToArray();
        return Answer.Json(ListAnswer.Of(answers, page.HasMore, file => file.Id), ApiJson.Wire.ListAnswerFileAnswer);
    }

    /// <summary><c>GET /files/{id}</c>.</summary>
    [Function("GetFile")]
    public async Task<IResult> GetFile(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "files/{fileId}")] HttpRequest request, string fileId, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Read);
        return TogetherFiles.Show(request, await files.GetAsync(caller.AccountId, fileId, cancellation));
    }

    /// <summary><c>GET /files/{id}/content</c>: the bytes, or a range of them.</summary>
    [Function("GetFileContent")]
    public async Task<IResult> GetFileContent(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "files/{fileId}/content")] HttpRequest request, string fileId, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Read);
        var file = await files.GetAsync(caller.AccountId, fileId, cancellation);
        return await FileContent.AnswerAsync(request, file.RequireReady(), offset => files.OpenAsync(file, offset, cancellation));
    }

    /// <summary><c>DELETE /files/{id}</c>.</summary>
    [Function("DeleteFile")]
    public async Task<IResult> DeleteFile(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "files/{fileId}")] HttpRequest request, string fileId, CancellationToken cancellation)
    {
        await delete.ExecuteAsync(request.Caller(Scopes.Train).AccountId, fileId, cancellation);
        return Answer.Json(new DeletedAnswer(fileId, "file"), ApiJson.Wire.DeletedAnswer);
    }
}
