using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Files;
using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.Files;

/// <summary>Describes the endpoints of files.</summary>
internal static class FileOperations
{
    /// <summary>The feature.</summary>
    public static ApiTag Tag { get; } = new("Files", "Uploaded files, in OpenAI's shapes.",
        new ApiOperation("POST", "files", "UploadFile", "Uploads a file.", ApiAnswer.Json(ApiJson.Wire.FileAnswer))
        {
            Scope = Scopes.Train,
            IsIdempotent = true,
            Body = ApiBody.Form($$"""
                {"type":"object","required":["file","purpose"],"additionalProperties":false,"properties":{
                  "file":{"type":"string","contentMediaType":"application/octet-stream","description":"The file, with its name."},
                  "purpose":{"type":"string","enum":[{{string.Join(',', UploadedFiles.Purposes.Select(purpose => $"\"{purpose}\""))}}]},
                  "expires_after[anchor]":{"type":"string","const":"created_at"},
                  "expires_after[seconds]":{"type":"integer","minimum":3600,"maximum":2592000,"description":"After which the file is deleted by itself."} } }
                """),
        },
        new ApiOperation("GET", "files", "ListFiles", "Lists files.", ApiAnswer.Json(ApiJson.Wire.ListAnswerFileAnswer))
        {
            Scope = Scopes.Read, Query = [.. ApiQuery.Page, ApiQuery.Text("purpose", "Only files of this purpose.")],
        },
        new ApiOperation("GET", "files/{fileId}", "GetFile", "Gives one file's data.", ApiAnswer.Json(ApiJson.Wire.FileAnswer)) { Scope = Scopes.Read },
        new ApiOperation("GET", "files/{fileId}/content", "GetFileContent", "Gives a file's bytes.", ApiAnswer.Other("application/octet-stream", "The bytes.")) { Scope = Scopes.Read },
        new ApiOperation("DELETE", "files/{fileId}", "DeleteFile", "Deletes a file. Jobs that use it have a copy of their own.", ApiAnswer.Json(ApiJson.Wire.DeletedAnswer)) { Scope = Scopes.Train });
}
