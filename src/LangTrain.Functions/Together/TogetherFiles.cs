using LangTrain.Contracts;
using LangTrain.Core;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Core.Together;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;

namespace LangTrain.Functions.Together;

/// <summary>
/// Uploads as the together-ai client makes them: the file is announced in the query, the answer redirects to an address that takes its bytes without a key, and
/// the file is there once they are. Thread-safe.
/// </summary>
public sealed class TogetherFiles(UploadTickets tickets, TimeProvider time)
{
    /// <summary>Whether a <c>POST /files</c> announces a file: it names one in the query and carries none.</summary>
    public static bool IsAnnouncement(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.Query.ContainsKey("file_name") && request.ContentType?.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase) != true;
    }

    /// <summary>A file in the shape that is asked for.</summary>
    internal static IResult Show(HttpRequest request, StoredFile file) => request.Either(file.ToAnswer, ApiJson.Wire.FileAnswer, file.ToTogether, ApiJson.Wire.TogetherFileAnswer);

    /// <summary>302 to where the bytes go, and the id that the file will have.</summary>
    /// <exception cref="ApiException">400 with every problem; 503 without a key to sign with.</exception>
    public IResult Announce(HttpRequest request, Caller caller)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(caller);
        var problems = new RequestProblems();
        if (request.QueryValue("file_type") is { } type && type != "jsonl")
        {
            problems.Add("file_type", $"file_type must be 'jsonl', not '{ApiErrors.Shorten(type)}'.");
        }

        var purpose = UploadedFiles.ReadPurpose(TogetherAnswers.PurposeOf(request.QueryValue("purpose")), problems);
        problems.ThrowIfAny();
        request.RefuseIdempotencyKey();
        var ticket = new UploadTicket(
            caller.AccountId, caller.Key.Id, Ids.New("file", time), UploadedFiles.CleanName(request.QueryValue("file_name")), purpose!, time.GetUtcNow() + UploadTickets.Lifetime);
        var headers = request.HttpContext.Response.Headers;
        headers["x-together-file-id"] = ticket.FileId;
        headers.CacheControl = "no-store";
        return TypedResults.Redirect($"{request.BaseUrl()}/files/{ticket.FileId}/content?token={tickets.Write(ticket)}");
    }
}
