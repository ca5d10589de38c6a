using System.IO.Compression;
using LangTrain.Contracts;
using LangTrain.Contracts.Models;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Models;

/// <summary>Makes an uploaded archive a model of an account: a zip of a Hugging Face folder, checked before a row names it. Thread-safe.</summary>
public sealed class UploadModel(IModelStore models, BlobFolder folders, StorageNames names, TimeProvider time)
{
    /// <summary>Largest archive.</summary>
    public const long MaxBytes = 4L << 30;

    private const long MostUnpackedBytes = 16L << 30;
    private const int MostFiles = 1000;

    // Everything a model folder holds; programs and pickles are not among it.
    private static readonly string[] Allowed = [".json", ".safetensors", ".jinja", ".model", ".txt", ".md"];

    /// <summary>Checks and stores a model.</summary>
    /// <param name="accountId">Owner.</param>
    /// <param name="archive">Path of the archive on this machine; deleted by the caller.</param>
    /// <param name="name">Name for people.</param>
    /// <param name="description">Sentence for people, or null.</param>
    /// <param name="idSeed">Last part of the model's id.</param>
    /// <param name="cancellation">Stops it; nothing is left.</param>
    /// <exception cref="ApiException">400 <c>invalid_model</c>: what is wrong with the archive or the model in it.</exception>
    public async Task<StoredModel> ExecuteAsync(
        string accountId, string archive, string name, string? description, string idSeed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(idSeed);
        var unpacked = Directory.CreateTempSubdirectory("langtrain-model-").FullName;
        try
        {
            var folder = await UnpackAsync(archive, unpacked, cancellation);
            var facts = await ModelInspector.InspectAsync(ModelFolder.Local(folder), cancellation);
            if (facts.IsAdapter)
            {
                throw new InvalidDataException("It is an adapter. This version takes whole models; merge the adapter into its base first.");
            }

            var id = $"custom/{Slug(name)}-{idSeed[^8..]}";
            var prefix = $"{accountId}/{id}";
            var revision = await folders.UploadAsync(names.ModelsContainer, prefix, folder, cancellation: cancellation);
            var model = new StoredModel
            {
                Id = id,
                AccountId = accountId,
                Name = name,
                Description = description ?? $"{name}, uploaded.",
                Category = "custom",
                ParameterCount = facts.ParameterCount,
                ContextLength = facts.ContextLength,
                SupportedTasks = facts.HasChatTemplate ? ["completion", "chat", "fine-tuning"] : ["completion", "fine-tuning"],
                Status = ModelStatuses.Ready,
                Weights = new ModelSource { Kind = ModelSource.Blob, Container = names.ModelsContainer, Folder = prefix, Revision = revision },
                CreatedAt = time.GetUtcNow(),
            };
            await models.UpsertAsync(model, cancellation);
            return model;
        }
        catch (InvalidDataException fault)
        {
            throw ApiErrors.Invalid($"The model cannot be used: {fault.Message}", "model", "invalid_model");
        }
        finally
        {
            Directory.Delete(unpacked, recursive: true);
        }
    }

    private static async Task<string> UnpackAsync(string archive, string target, CancellationToken cancellation)
    {
        await using var zip = await ZipFile.OpenReadAsync(archive, cancellation);
        var files = zip.Entries.Where(entry => entry.Name.Length > 0).ToList();
        if (files.Count is 0 or > MostFiles)
        {
            throw new InvalidDataException($"The archive has {files.Count} files; 1 to {MostFiles} are allowed.");
        }

        var left = MostUnpackedBytes;
        foreach (var entry in files)
        {
            if (!Allowed.Contains(Path.GetExtension(entry.Name), StringComparer.OrdinalIgnoreCase))
            {
                throw new InvalidDataException($"'{ApiErrors.Shorten(entry.FullName)}' is not of a kind that a model holds ({string.Join(", ", Allowed)}). Weights are taken as safetensors.");
            }

            var path = Path.GetFullPath(Path.Combine(target, entry.FullName));
            if (!path.StartsWith(target + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            {
                throw new InvalidDataException($"'{ApiErrors.Shorten(entry.FullName)}' lies outside the archive's folder.");
            }

            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await using var content = await entry.OpenAsync(cancellation);
            await using var file = File.Create(path);
            // What the archive's directory says of sizes is not believed.
            var buffer = new byte[1 << 16];
            for (int read; (read = await content.ReadAsync(buffer, cancellation)) > 0;)
            {
                if ((left -= read) < 0)
                {
                    throw new InvalidDataException($"Unpacked it is larger than {MostUnpackedBytes >> 30} GiB.");
                }

                await file.WriteAsync(buffer.AsMemory(0, read), cancellation);
            }
        }

        // People zip the folder itself as often as its content.
        return !File.Exists(Path.Combine(target, "config.json")) && Directory.GetFileSystemEntries(target) is [var only] && Directory.Exists(only) ? only : target;
    }

    private static string Slug(string name)
    {
        var slug = string.Concat(name.Take(48).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' ? char.ToLowerInvariant(c) : '-')).Trim('-', '.');
        return slug.Length == 0 ? "model" : slug;
    }
}
