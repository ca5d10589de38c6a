using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Files;
using LangTrain.Core.Http;
using LangTrain.Functions.OpenApi;
using LangTrain.Functions.Together;

namespace LangTrain.Functions.Files;

/// <summary>Describes the endpoints of files.</summary>
internal static class FileOperations
{
    /// <summary>The feature.</summary>
    public static ApiTag Tag { get; } = new("Files", "Uploaded files, whole or in parts, in OpenAI's shapes.",
        new ApiOperation("POST", "files", "UploadFile", "Uploads a file.", ApiAnswer.Json(ApiJson.Wire.FileAnswer))
        {
            Scope = Scopes.Train,
            IsIdempotent = true,
            Description = TogetherOperations.Announcement,
            Query = TogetherOperations.AnnouncementQuery,
            Redirects = "Where the bytes of an announced file go.",
            Body = ApiBody.Form($$"""
                {"type":"object","required":["file","purpose"],"additionalProperties":false,"properties":{
                  "file":{"type":"string","contentMediaType":"application/octet-stream","description":"The file, with its name."},
                  "purpose":{"type":"string","enum":[{{string.Join(',', UploadedFiles.Purposes.Select(purpose => $"\"{purpose}\""))}}]},
                  "expires_after[anchor]":{"type":"string","const":"created_at"},
                  "expires_after[seconds]":{"type":"integer","minimum":3600,"maximum":2592000,"description":"After which the file is deleted by itself."} } }
                """),
        },
        new ApiOperation("GET", "files", "ListFiles", "Lists files.", ApiAnswer.Json(ApiJson.Wire.ListAnswerFileAnswer).OrTogethers(ApiJson.Wire.TogetherListAnswerTogetherFileAnswer))
        {
            Scope = Scopes.Read, Query = [.. ApiQuery.PageOf(PageQuery.MaxFiles), ApiQuery.Text("purpose", "Only files of this purpose.")],
        },
        new ApiOperation("GET", "files/{fileId}", "GetFile", "Gives one file's data.", ApiAnswer.Json(ApiJson.Wire.FileAnswer).OrTogethers(ApiJson.Wire.TogetherFileAnswer)) { Scope = Scopes.Read },
        new ApiOperation("GET", "files/{fileId}/content", "GetFileContent", "Gives a file's bytes, or a range of them.", ApiAnswer.Other("application/octet-stream", "The bytes.")) { Scope = Scopes.Read, GivesRanges = true, Errors = [409] },
        new ApiOperation("DELETE", "files/{fileId}", "DeleteFile", "Deletes a file that no job, batch or check of a model is about to read; those that have begun have a copy of their own.", ApiAnswer.Json(ApiJson.Wire.DeletedAnswer)) { Scope = Scopes.Train, Errors = [409] },
        new ApiOperation("POST", "files/{fileId}/validate", "ValidateFile", "Checks every row of a file of training data.", ApiAnswer.Json(ApiJson.Wire.FileValidationAnswer))
        {
            Scope = Scopes.Read,
            Query = [ApiQuery.Text("model", "The model that is to be trained; may stand in the body as well.")],
            Body = ApiBody.Json("""
                {"type":"object","additionalProperties":false,"properties":{
                  "model":{"type":"string","minLength":1,"maxLength":512,"description":"The model that is to be trained; one with a chat template where it is left out."}}}
                """, """{ "model": "langtrain/tiny" }""") with { IsOptional = true },
            Errors = [409],
        },
        new ApiOperation("GET", "files/{fileId}/preview", "PreviewFile", "Shows the first rows as a model's tokens, with the loss mask.", ApiAnswer.Json(ApiJson.Wire.FilePreviewAnswer))
        {
            Scope = Scopes.Read,
            Query =
            [
                ApiQuery.Text("model", "The model whose tokenizer and template are used. Required."),
                new("rows", $$"""{"type":"integer","minimum":1,"maximum":{{CheckFile.MostPreviewRows}},"default":5}""", "Rows from the first."),
            ],
            Errors = [409],
        },
        new ApiOperation("POST", "uploads", "CreateUpload", "Begins a large file that comes in parts.", ApiAnswer.Json(ApiJson.Wire.UploadAnswer))
        {
            Scope = Scopes.Train,
            IsIdempotent = true,
            Body = ApiBody.Read(body => UploadRequest.FromRequest(body), """{ "filename": "rows.jsonl", "purpose": "fine-tune", "bytes": 1048576 }""") with
            {
                Notes = new Dictionary<string, string> { ["bytes"] = "Size that the parts add up to.", ["purpose"] = "As of the file that it becomes." },
            },
        },
        new ApiOperation("GET", "uploads/{uploadId}", "GetUpload", "Gives one upload.", ApiAnswer.Json(ApiJson.Wire.UploadAnswer)) { Scope = Scopes.Read },
        new ApiOperation("POST", "uploads/{uploadId}/parts", "AddUploadPart", "Adds a part.", ApiAnswer.Json(ApiJson.Wire.UploadPartAnswer))
        {
            Scope = Scopes.Train,
            Description = "A form with `data`; or the JSON `{\"direct\": true}`, which is answered with an address in storage for the part's bytes.",
            Body = ApiBody.Form("""
                {"type":"object","required":["data"],"additionalProperties":false,"properties":{
                  "data":{"type":"string","contentMediaType":"application/octet-stream","description":"The part's bytes, with a filename."}}}
                """),
            Errors = [409],
        },
        new ApiOperation("POST", "uploads/{uploadId}/complete", "CompleteUpload", "Makes the file of its parts.", ApiAnswer.Json(ApiJson.Wire.UploadAnswer))
        {
            Scope = Scopes.Train,
            Description = "The parts of a file of more than 1 GiB are put together after the answer: its `status` is `uploaded` first, then `processed`, or `error` with `status_details`.",
            Body = ApiBody.Json("""
                {"type":"object","required":["part_ids"],"additionalProperties":false,"properties":{
                  "part_ids":{"type":"array","maxItems":10000,"items":{"type":"string","maxLength":128},"description":"Parts in their order."},
                  "md5":{"type":"string","minLength":32,"maxLength":32,"description":"Of the whole file, hex, to be checked."}}}
                """, """{ "part_ids": ["part-1", "part-2"] }"""),
            Errors = [409],
        },
        new ApiOperation("POST", "uploads/{uploadId}/cancel", "CancelUpload", "Gives an upload up.", ApiAnswer.Json(ApiJson.Wire.UploadAnswer)) { Scope = Scopes.Train, Errors = [409] });
}
