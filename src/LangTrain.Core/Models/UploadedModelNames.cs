using LangTrain.Core.Errors;

namespace LangTrain.Core.Models;

/// <summary>What the files of an uploaded model may be called, and what that says of them.</summary>
public static class UploadedModelNames
{
    /// <summary>How a model is to be uploaded, for messages.</summary>
    public const string HowTo =
        "Send one zip, tar or tar.gz of a Hugging Face folder (config.json, tokenizer.json, model.safetensors or its shards with their index) or of a PEFT adapter "
        + "(adapter_config.json, adapter_model.safetensors, with base_model), or these files as several parts named 'model'.";

    /// <summary>Most files of one upload.</summary>
    public const int MostFiles = 500;

    private static readonly string[] Archives = [".zip", ".tar", ".tar.gz", ".tgz"];
    private static readonly string[] Parts = [".safetensors", ".json", ".model", ".jinja", ".txt", ".bin"];
    private static readonly string[] Pickles = [".pt", ".pth", ".pkl", ".ckpt"];

    /// <summary>Whether a file is an archive to be unpacked.</summary>
    public static bool IsArchive(string filename) => Archives.Any(extension => filename.EndsWith(extension, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a file of a model's folder is of use; programs, pictures and the like are left behind.</summary>
    public static bool IsModelFile(string filename)
    {
        ArgumentNullException.ThrowIfNull(filename);
        return filename.Length is > 0 and <= 255 && filename[0] != '.' && !filename.Any(c => c is '/' or '\\' or ':' || char.IsControl(c))
            && Parts.Any(extension => filename.EndsWith(extension, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Refuses at once what can be no model by its names alone.</summary>
    /// <exception cref="ApiException">400, 415; the message says how to upload.</exception>
    public static void Require(IReadOnlyList<string> filenames)
    {
        ArgumentNullException.ThrowIfNull(filenames);
        foreach (var name in filenames)
        {
            if (!IsArchive(name) && !IsModelFile(name))
            {
                var why = Pickles.Any(extension => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase))
                    ? "is a PyTorch pickle under a name that no model folder has; save the weights as safetensors, or as pytorch_model.bin beside its config.json"
                    : "is not a kind of file that is taken";
                throw ApiErrors.UnsupportedMediaType($"'{ApiErrors.Shorten(name)}' {why}. {HowTo}", "model");
            }
        }

        if (filenames.Count > MostFiles)
        {
            throw ApiErrors.Invalid($"The upload has {filenames.Count} files; {MostFiles} are allowed.", "model");
        }

        if (filenames.Distinct(StringComparer.OrdinalIgnoreCase).Count() != filenames.Count)
        {
            throw ApiErrors.Invalid("Two files of the upload have the same name.", "model", "invalid_archive");
        }

        if (filenames.Any(IsArchive))
        {
            if (filenames.Count > 1)
            {
                throw ApiErrors.Invalid("Send one archive, or the files of a folder, not both.", "model");
            }
        }
        else if (!filenames.Contains("config.json") && !filenames.Contains("adapter_config.json"))
        {
            var weights = filenames.FirstOrDefault(name => name.EndsWith(".bin", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase));
            var what = weights is null ? "The upload has no config.json" : $"'{ApiErrors.Shorten(weights)}' holds weights, which alone do not say what model they are";
            throw ApiErrors.Invalid($"{what}. {HowTo}", "model", "model_files_missing");
        }
    }
}
