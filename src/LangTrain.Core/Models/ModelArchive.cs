using System.IO.Compression;
using LangTrain.Core.Errors;

namespace LangTrain.Core.Models;

/// <summary>Brings the files of an upload into one folder on this machine: single files as they are, a zip unpacked.</summary>
public static class ModelArchive
{
    /// <summary>Largest model, unpacked.</summary>
    public const long MaxBytes = 16L << 30;

    private const int MostFiles = 500;

    private static readonly string[] Allowed = [".safetensors", ".json", ".model", ".jinja", ".txt", ".md"];
    private static readonly string[] Pickles = [".bin", ".pt", ".pth", ".pkl", ".ckpt"];

    /// <summary>Whether a file is an archive to be unpacked; otherwise whether it may stand in a model's folder.</summary>
    /// <exception cref="ApiException">415: a kind of file that is not taken, and which are.</exception>
    public static bool IsZip(string filename)
    {
        var extension = Path.GetExtension(filename).ToLowerInvariant();
        if (extension == ".zip")
        {
            return true;
        }

        if (Allowed.Contains(extension))
        {
            return false;
        }

        const string Wanted = "Send a zip of a Hugging Face folder (config.json, tokenizer.json, model.safetensors) or of a PEFT adapter "
            + "(adapter_config.json, adapter_model.safetensors), or these files as several parts named 'model'.";
        throw ApiErrors.UnsupportedMediaType(
            Pickles.Contains(extension)
                ? $"'{ApiErrors.Shorten(filename)}' is a PyTorch pickle, which can hold programs and is not taken. Save the weights as safetensors. {Wanted}"
                : $"'{ApiErrors.Shorten(filename)}' is not a kind of file that is taken. {Wanted}",
            "model");
    }

    /// <summary>Unpacks a zip; a single folder at its top is left out, files that are no part of a model are left behind.</summary>
    /// <exception cref="ApiException">400: broken, too many files, or a file that would lie elsewhere; 413.</exception>
    public static async Task UnpackAsync(Stream zip, string folder, CancellationToken cancellation = default)
    {
        try
        {
            using var archive = new ZipArchive(zip, ZipArchiveMode.Read, leaveOpen: true);
            var files = archive.Entries.Where(entry => entry.Name.Length > 0 && IsModelFile(entry.FullName)).ToArray();
            if (files.Length is 0 or > MostFiles)
            {
                throw ApiErrors.Invalid($"The zip holds {files.Length} files of a model; 1 to {MostFiles} are allowed.", "model", "invalid_archive");
            }

            var top = CommonFolder(files);
            var left = MaxBytes;
            foreach (var entry in files)
            {
                left = await UnpackAsync(entry, Target(folder, entry.FullName[top.Length..]), left, cancellation);
            }
        }
        catch (InvalidDataException)
        {
            throw ApiErrors.Invalid("The zip is broken.", "model", "invalid_archive");
        }
    }

    /// <summary>The path of a file in the folder.</summary>
    /// <exception cref="ApiException">400: it would lie outside.</exception>
    public static string Target(string folder, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        var path = Path.GetFullPath(Path.Combine(folder, name.Replace('\\', '/')));
        return path.StartsWith(root, StringComparison.Ordinal) && name.Length is > 0 and <= 200 && !name.Any(char.IsControl)
            ? path
            : throw ApiErrors.Invalid($"'{ApiErrors.Shorten(name)}' is not a possible file name.", "model", "invalid_archive");
    }

    private static async Task<long> UnpackAsync(ZipArchiveEntry entry, string path, long left, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using var from = await entry.OpenAsync(cancellation);
        await using var to = new FileStream(path, FileMode.CreateNew);
        var buffer = new byte[1 << 16];

        // Counted as it comes: what an archive says of its sizes may be a lie.
        for (int read; (read = await from.ReadAsync(buffer, cancellation)) > 0;)
        {
            left -= read;
            if (left < 0)
            {
                throw ApiErrors.TooLarge("The unpacked model", MaxBytes, "model");
            }

            await to.WriteAsync(buffer.AsMemory(0, read), cancellation);
        }

        return left;
    }

    private static bool IsModelFile(string name) =>
        Allowed.Contains(Path.GetExtension(name).ToLowerInvariant()) && !name.Split('/').Any(part => part.StartsWith('.') || part == "__MACOSX");

    private static string CommonFolder(ZipArchiveEntry[] files)
    {
        var slash = files[0].FullName.IndexOf('/', StringComparison.Ordinal);
        var top = slash < 0 ? "" : files[0].FullName[..(slash + 1)];
        return files.All(file => file.FullName.StartsWith(top, StringComparison.Ordinal)) ? top : "";
    }
}
