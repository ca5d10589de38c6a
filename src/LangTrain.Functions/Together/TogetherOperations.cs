using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Together;
using LangTrain.Functions.Http;
using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.Together;

/// <summary>Describes what is there for the together-ai client alone.</summary>
internal static class TogetherOperations
{
    /// <summary>Of how its files come, beside the form that everybody sends.</summary>
    public const string Announcement = "The together-ai client announces a file in the query and sends no form: it is answered with 302 to an address that takes the bytes by PUT, without a key, "
        + "within an hour; `x-together-file-id` is the id that the file then has.";

    /// <summary>The query of such an announcement.</summary>
    public static IReadOnlyList<ApiQuery> AnnouncementQuery { get; } =
    [
        ApiQuery.Text("file_name", "Only in the together-ai client's way: the file's name."),
        ApiQuery.OneOf("file_type", "Only in that way.", "jsonl"),
        ApiQuery.OneOf("purpose", "Only in that way; else it is a field of the form.", "fine-tune", "batch-api", "eval"),
    ];

    /// <summary>The feature.</summary>
    public static ApiTag Tag { get; } = new("together-ai", "Calls that only the together-ai client makes. Where it uses the addresses of others (files, models, fine-tunes, batches), it is known by its `User-Agent` "
        + $"(`Together/…`, `AsyncTogether/…`) and answered in its own shapes, whose type is `{TogetherClient.MediaType}`; so is whoever names that type in `Accept`.",
        new ApiOperation("PUT", "files/{fileId}/content", FunctionNames.PutFileContent, "Takes the bytes of a file that was announced.", ApiAnswer.Json(ApiJson.Wire.FileAnswer))
        {
            Scope = Scopes.Train,
            Description = "At the address that the announcement was answered with. Its ticket stands in place of a key, for this file and once; it ends with the key that asked for it.",
            Query = [ApiQuery.Text("token", "The ticket.")],
            Body = new ApiBody("application/octet-stream", () => new() { ["type"] = "string", ["contentMediaType"] = "application/octet-stream" }, null),
            Errors = [409],
        },
        new ApiOperation("POST", "files/{fileId}/preprocess", "PreprocessFile", "Gives the file: nothing is left to do once its bytes are there.", ApiAnswer.Json(ApiJson.Wire.FileAnswer).OrTogethers(ApiJson.Wire.TogetherFileAnswer))
        {
            Scope = Scopes.Train,
        },
        new ApiOperation("POST", "fine-tunes/estimate-price", "EstimateFineTunePrice", "Checks a fine-tune's request and data, and reckons its tokens and price.", ApiAnswer.Togethers(ApiJson.Wire.TogetherPriceAnswer))
        {
            Scope = Scopes.Train,
            Body = ApiBody.Read(body => TogetherFineTuneRequest.FromRequest(body), """{ "model": "langtrain/tiny", "training_file": "file-abc", "n_epochs": 3 }"""),
            Errors = [404, 409],
        },
        new ApiOperation("POST", "fine-tunes/preview", "PreviewFineTune", "Shows the first rows of a file as a model's tokens with their labels.", ApiAnswer.Togethers(ApiJson.Wire.TogetherPreviewAnswer))
        {
            Scope = Scopes.Read,
            Body = ApiBody.Read(body => TogetherPreviewRequest.FromRequest(body), """{ "model": "langtrain/tiny", "training_file": "file-abc", "top_k": 2 }"""),
            Errors = [404, 409],
        },
        new ApiOperation("GET", "fine-tunes/models/limits", "GetFineTuneModelLimits", "Says what fine-tunes of a model may ask for.", ApiAnswer.Togethers(ApiJson.Wire.TogetherLimitsAnswer))
        {
            Scope = Scopes.Read,
            Query = [ApiQuery.Text("model_name", "The model. Required.")],
            Errors = [404],
        },
        new ApiOperation("GET", "finetune/download", "DownloadFineTune", "Gives the files of what a fine-tune made, in one archive.", ApiAnswer.Other("application/zip", "A zip of the PEFT or Hugging Face folder."))
        {
            Scope = Scopes.Read,
            Query =
            [
                ApiQuery.Text("ft_id", "The fine-tune. Required."),
                ApiQuery.OneOf("checkpoint", "`adapter`, or `merged` where all weights were trained (else that is an export of the model); `model_output_path` is whichever the job made.", "adapter", "merged", "model_output_path"),
                new("checkpoint_step", """{"type":"integer","minimum":0}""", "Step of a stored checkpoint; 0 is what the job made."),
            ],
            Errors = [404, 409],
        });
}
