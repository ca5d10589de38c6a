using System.Text;
using LangTrain.Core.Errors;
using LangTrain.Core.Models;
using LangTrain.Core.Models.Tasks;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;

namespace LangTrain.Functions.Models;

/// <summary>The body of <c>POST /models</c>; files that came with it are stored already.</summary>
/// <param name="Upload">What is to become a model.</param>
/// <param name="Fingerprint">Tells this request from others.</param>
internal sealed record ModelUploadForm(ModelUpload Upload, string Fingerprint)
{
    private const int LongestName = 256, LongestDescription = 4096, LongestId = 512;

    /// <summary>Reads a form and stores its files on the way. After a fault nothing stays stored.</summary>
    /// <exception cref="ApiException">400, 413, 415.</exception>
    public static async Task<ModelUploadForm> ReadAsync(HttpRequest request, UploadModel models, string accountId, CancellationToken cancellation)
    {
        var files = new List<UploadedModelFile>();
        var fingerprint = new StringBuilder();
        var (name, description, baseModel) = ((string?)null, (string?)null, (string?)null);
        try
        {
            await foreach (var part in MultipartForm.ReadAsync(request, UploadModel.MaxBytes + (1 << 20), cancellation))
            {
                switch (part.Name)
                {
                    case "model" or "model[]" when part.Filename is { } filename:
                        // What can be no model by its name is refused before its gigabytes come.
                        if (!UploadedModelNames.IsArchive(filename) && !UploadedModelNames.IsModelFile(filename))
                        {
                            UploadedModelNames.Require([filename]);
                        }

                        var (file, sha256) = await models.StoreAsync(accountId, filename, part.Content, cancellation);
                        files.Add(file);
                        fingerprint.Append(filename).Append('\n').Append(sha256).Append('\n');
                        break;
                    case "name" when part.Text.Length is > 0 and <= LongestName: name = part.Text; break;
                    case "description" when part.Text.Length <= LongestDescription: description = part.Text; break;
                    case "base_model" when part.Text.Length is > 0 and <= LongestId: baseModel = part.Text; break;
                    case "model_type" when part.Text == "custom": break;
                    case "model" or "name" or "description" or "model_type" or "base_model":
                        throw ApiErrors.Invalid(
                            $"{part.Name} is not as it must be: files as model, a name of 1 to {LongestName} characters, a description of at most {LongestDescription}, a model id as base_model, model_type 'custom'.",
                            part.Name);
                    default:
                        throw ApiErrors.Invalid(
                            $"'{ApiErrors.Shorten(part.Name)}' is not a known field; model, name, description, base_model and model_type are.", part.Name, "unknown_parameter");
                }
            }

            if (files.Count == 0)
            {
                throw ApiErrors.Invalid($"model is required. {UploadedModelNames.HowTo}", "model", "missing_required_parameter");
            }

            name ??= Path.GetFileNameWithoutExtension(files[0].Filename);
            UploadedModelNames.Require([.. files.Select(file => file.Filename)]);
            return new ModelUploadForm(new ModelUpload(name, description, baseModel, files), $"{fingerprint}{name}\n{description}\n{baseModel}");
        }
        catch
        {
            await models.DiscardAsync(files, CancellationToken.None);
            throw;
        }
    }

    /// <summary>Reads JSON that names finished uploads or files: <c>{"name", "files": ["upload-…"], "description", "base_model", "model_type"}</c>.</summary>
    /// <exception cref="ApiException">400, 404, 409.</exception>
    public static async Task<ModelUploadForm> ReadJsonAsync(HttpRequest request, UploadModel models, string accountId, CancellationToken cancellation)
    {
        var body = await request.ReadJsonAsync(cancellation);
        var name = body.RequireText("name", LongestName);
        var description = body.Text("description", LongestDescription);
        var baseModel = body.Text("base_model", LongestId, 1);
        body.OneOf("model_type", "custom");
        var ids = body.Texts("files", UploadedModelNames.MostFiles, 128, 1);
        if (!body.Has("files"))
        {
            body.Missing("files");
        }

        body.RefuseUnknownKeys();
        body.Problems.ThrowIfAny();
        var files = await models.FindFilesAsync(accountId, ids!, cancellation);
        return new ModelUploadForm(new ModelUpload(name, description, baseModel, files), body.Element.GetRawText());
    }
}
