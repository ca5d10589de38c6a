using LangTrain.Core.Errors;
using LangTrain.Core.Http;
using LangTrain.Core.Models;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;

namespace LangTrain.Functions.Models;

/// <summary>The form of <c>POST /models</c>, its archive in a temporary file that goes with this object.</summary>
internal sealed record ModelUploadForm(string Archive, string Name, string? Description) : IDisposable
{
    private const int LongestName = 256, LongestDescription = 4096;

    /// <summary>Reads the form.</summary>
    /// <exception cref="ApiException">400, 413, 415.</exception>
    public static async Task<ModelUploadForm> ReadAsync(HttpRequest request, CancellationToken cancellation)
    {
        var archive = Path.GetTempFileName();
        try
        {
            var (hasArchive, name, description) = (false, (string?)null, (string?)null);
            await foreach (var part in MultipartForm.ReadAsync(request, UploadModel.MaxBytes + (1 << 20), cancellation))
            {
                switch (part.Name)
                {
                    case "model" when part.Filename is { } filename && !hasArchive:
                        if (!filename.EndsWith(".zip", StringComparison.OrdinalIgnoreCase))
                        {
                            throw ApiErrors.UnsupportedMediaType(
                                $"'{ApiErrors.Shorten(filename)}' is not a .zip. Send a zip of a Hugging Face folder: config.json, tokenizer files, weights as safetensors.", "model");
                        }

                        await using (var file = File.Create(archive))
                        await using (var content = new MeasuredStream(part.Content, UploadModel.MaxBytes, "The model"))
                        {
                            await content.CopyToAsync(file, cancellation);
                        }

                        hasArchive = true;
                        break;
                    case "name" when part.Text.Length is > 0 and <= LongestName: name = part.Text; break;
                    case "description" when part.Text.Length <= LongestDescription: description = part.Text; break;
                    case "model_type" when part.Text == "custom": break;
                    case "model" or "name" or "description" or "model_type":
                        throw ApiErrors.Invalid(
                            $"{part.Name} is not as it must be: one file as model, a name of 1 to {LongestName} characters, a description of at most {LongestDescription}, model_type 'custom'.",
                            part.Name);
                    default:
                        throw ApiErrors.Invalid(
                            $"'{ApiErrors.Shorten(part.Name)}' is not a known field; model, name, description and model_type are.", part.Name, "unknown_parameter");
                }
            }

            return !hasArchive ? throw ApiErrors.Invalid("model is required.", "model", "missing_required_parameter")
                : new ModelUploadForm(archive, name ?? throw ApiErrors.Invalid("name is required.", "name", "missing_required_parameter"), description);
        }
        catch
        {
            File.Delete(archive);
            throw;
        }
    }

    /// <summary>Deletes the temporary file.</summary>
    public void Dispose() => File.Delete(Archive);
}
