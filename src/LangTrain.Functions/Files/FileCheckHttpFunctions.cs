using System.Globalization;
using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Files;

/// <summary>Looks into files of training data before they are trained on.</summary>
public sealed class FileCheckHttpFunctions(CheckFile check, UploadedFiles files)
{
    /// <summary><c>POST /files/{id}/validate</c>: every row, faults with their lines; <c>?model=</c> says for which model.</summary>
    [Function("ValidateFile")]
    public async Task<IResult> ValidateFile(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "files/{fileId}/validate")] HttpRequest request, string fileId, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Read);
        var body = await request.ReadOptionalJsonAsync(cancellation);
        var model = body?.Text("model", 512, 1) ?? request.QueryValue("model");
        body?.RefuseUnknownKeys();
        body?.Problems.ThrowIfAny();
        return Answer.Json(await check.ValidateAsync(caller.AccountId, fileId, model, cancellation), ApiJson.Wire.FileValidationAnswer);
    }

    /// <summary><c>GET /files/{id}/preview?model=&amp;rows=</c>: the first rows as tokens with the loss mask.</summary>
    [Function("PreviewFile")]
    public async Task<IResult> PreviewFile(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "files/{fileId}/preview")] HttpRequest request, string fileId, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Read);
        await files.GetAsync(caller.AccountId, fileId, cancellation);
        var model = request.QueryValue("model") ?? throw ApiErrors.Invalid("model is required.", "model", "missing_required_parameter");
        var rows = 5;
        if (request.QueryValue("rows") is { } text
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out rows) || rows is < 1 or > CheckFile.MostPreviewRows))
        {
            throw ApiErrors.Invalid($"rows must be a whole number from 1 to {CheckFile.MostPreviewRows}.", "rows");
        }

        return Answer.Json(await check.PreviewAsync(caller.AccountId, fileId, model, rows, cancellation), ApiJson.Wire.FilePreviewAnswer);
    }
}
