using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Together;

/// <summary>Calls about files that only the together-ai client makes.</summary>
public sealed class TogetherFileHttpFunctions(UploadedFiles files)
{
    /// <summary><c>PUT /files/{id}/content?token=</c>: the bytes of a file that was announced, as they are.</summary>
    [Function(FunctionNames.PutFileContent)]
    public async Task<IResult> PutContent(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "files/{fileId}/content")] HttpRequest request, string fileId, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Train);
        // Looked at before a byte is read: a ticket is no leave to send again and again.
        if (await files.ExistsAsync(caller.AccountId, fileId, cancellation))
        {
            throw ApiErrors.Conflict("file_exists", $"The bytes of the file '{ApiErrors.Shorten(fileId)}' are there already.");
        }

        if (request.HttpContext.Features.Get<UploadTicket>() is not { } ticket || ticket.FileId != fileId)
        {
            throw ApiErrors.NotFound("file", fileId);
        }

        request.RefuseEncoding();
        request.LimitBody("The file", UploadedFiles.MaxBytes);
        var upload = await files.StoreAsync(caller.AccountId, ticket.Filename, request.Body, cancellation);
        try
        {
            var file = await files.CreateAsync(caller.AccountId, upload, ticket.Purpose, null, fileId["file-".Length..], cancellation);
            return Answer.Json(file.ToAnswer(), ApiJson.Wire.FileAnswer);
        }
        catch (ApiException)
        {
            await files.DiscardAsync(upload, CancellationToken.None);
            throw;
        }
    }

    /// <summary><c>POST /files/{id}/preprocess</c>: nothing is left to do; the file.</summary>
    [Function("PreprocessFile")]
    public async Task<IResult> Preprocess(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "files/{fileId}/preprocess")] HttpRequest request, string fileId, CancellationToken cancellation) =>
        TogetherFiles.Show(request, await files.GetAsync(request.Caller(Scopes.Train).AccountId, fileId, cancellation));
}
