using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LangTrain.Contracts;
using LangTrain.Contracts.Models;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Models;

/// <summary>What became of one folder.</summary>
/// <param name="ModelId">Id of the model.</param>
/// <param name="Problem">Why it was not registered; null when it was.</param>
public sealed record RegisteredModel(string ModelId, string? Problem);

/// <summary>Writes the rows of base models from their files, when a host starts or an administrator asks. Running it again changes nothing.</summary>
public sealed class RegisterBaseModels(IModelStore store, IBlobStore blobs, StorageNames names, ModelCatalog catalog, TimeProvider time)
{
    private static readonly string[] Code = ["code", "coder", "starcoder"];

    /// <summary>Registers every Hugging Face folder under a root: <c>org/name/config.json</c> or <c>name/config.json</c>. What was there and is gone becomes <c>weights_missing</c>.</summary>
    /// <param name="root"><c>LANGTRAIN_MODELS_DIR</c>; the workers must see the same folders.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<IReadOnlyList<RegisteredModel>> FromDirectoryAsync(string root, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(root);
        var found = new List<RegisteredModel>();
        foreach (var folder in ModelFolders(root))
        {
            var id = Path.GetRelativePath(root, folder).Replace(Path.DirectorySeparatorChar, '/');
            found.Add(await RegisterAsync(id, ModelFolder.Local(folder), () => Task.FromResult(new ModelSource
            {
                Kind = ModelSource.ModelsDirectory, Folder = id, Revision = RevisionOf(folder),
            }), cancellation));
        }

        var there = found.Select(model => model.ModelId).ToHashSet(StringComparer.Ordinal);
        await foreach (var model in store.ListAsync(null, cancellation))
        {
            if (model.Weights?.Kind == ModelSource.ModelsDirectory && !there.Contains(model.Id))
            {
                await store.UpsertAsync(Missing(model), cancellation);
            }
        }

        catalog.Refresh();
        return found;
    }

    /// <summary>Registers one folder of the base-models container, <c>org/name</c>, whose <c>manifest.json</c> is there.</summary>
    public async Task<RegisteredModel> FromBlobsAsync(string modelId, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(modelId);
        var container = names.BaseModelsContainer;
        await using var manifest = await blobs.OpenReadAsync(container, modelId + "/manifest.json", 0, cancellation);
        if (manifest is null)
        {
            return new RegisteredModel(modelId, "Its manifest.json is not in the base-models container.");
        }

        var revision = Convert.ToHexStringLower(await SHA256.HashDataAsync(manifest, cancellation));
        var registered = await RegisterAsync(modelId, ModelFolder.Blobs(blobs, container, modelId), () => Task.FromResult(new ModelSource
        {
            Kind = ModelSource.Blob, Container = container, Folder = modelId, Revision = revision,
        }), cancellation);
        catalog.Refresh();
        return registered;
    }

    /// <summary>Registers every complete folder of the base-models container.</summary>
    public async Task<IReadOnlyList<RegisteredModel>> FromContainerAsync(CancellationToken cancellation = default)
    {
        const string Manifest = "/manifest.json";
        var ids = new List<string>();
        await foreach (var blob in blobs.ListAsync(names.BaseModelsContainer, "", cancellation))
        {
            if (blob.Name.EndsWith(Manifest, StringComparison.Ordinal))
            {
                ids.Add(blob.Name[..^Manifest.Length]);
            }
        }

        var registered = new List<RegisteredModel>();
        foreach (var id in ids)
        {
            registered.Add(await FromBlobsAsync(id, cancellation));
        }

        return registered;
    }

    /// <summary>Lists well-known open models whose weights nobody has brought yet.</summary>
    public async Task ListKnownAsync(CancellationToken cancellation = default)
    {
        foreach (var (id, category, parameters, context) in KnownBaseModels.All)
        {
            if (await store.FindAsync(null, id, cancellation) is null)
            {
                await store.UpsertAsync(Missing(Row(id, category, parameters, context, category != "base")), cancellation);
            }
        }

        catalog.Refresh();
    }

    private async Task<RegisteredModel> RegisterAsync(string id, ModelFolder folder, Func<Task<ModelSource>> source, CancellationToken cancellation)
    {
        try
        {
            var facts = await ModelInspector.InspectAsync(folder, cancellation);
            if (facts.IsAdapter)
            {
                return new RegisteredModel(id, "It is an adapter, not a base model.");
            }

            var known = await store.FindAsync(null, id, cancellation);
            var row = Row(id, Category(id, facts.HasChatTemplate), facts.ParameterCount, facts.ContextLength, facts.HasChatTemplate) with
            {
                Status = ModelStatuses.Ready,
                Weights = await source(),
                CreatedAt = known?.CreatedAt ?? time.GetUtcNow(),
            };
            await store.UpsertAsync(row, cancellation);
            return new RegisteredModel(id, null);
        }
        catch (InvalidDataException e)
        {
            return new RegisteredModel(id, e.Message);
        }
    }

    private StoredModel Row(string id, string category, long parameters, int context, bool chat)
    {
        var name = id[(id.LastIndexOf('/') + 1)..];
        return new StoredModel
        {
            Id = id,
            Name = name,
            Description = string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: an open language model with {ModelAnswers.ParametersText(parameters)} parameters and a context of {context:N0} tokens."),
            Category = category,
            ParameterCount = parameters,
            ContextLength = context,
            SupportedTasks = chat ? ["completion", "chat", "fine-tuning"] : ["completion", "fine-tuning"],
            Status = ModelStatuses.WeightsMissing,
            CreatedAt = time.GetUtcNow(),
        };
    }

    private static StoredModel Missing(StoredModel model) => model with
    {
        Status = ModelStatuses.WeightsMissing,
        StatusReason = $"Its weights are not here. Put its Hugging Face folder at LANGTRAIN_MODELS_DIR/{model.Id} and start again.",
        Weights = null,
    };

    private static string Category(string id, bool hasTemplate) =>
        Code.Any(word => id.Contains(word, StringComparison.OrdinalIgnoreCase)) ? "code"
        : id.Contains("instruct", StringComparison.OrdinalIgnoreCase) ? "instruct"
        : hasTemplate ? "chat" : "base";

    // Two levels, no deeper: a folder of models may be a whole disk.
    private static IEnumerable<string> ModelFolders(string root) =>
        Directory.EnumerateDirectories(root).Where(IsVisible).Order(StringComparer.Ordinal).SelectMany(outer => File.Exists(Path.Combine(outer, "config.json"))
            ? (IEnumerable<string>)[outer]
            : Directory.EnumerateDirectories(outer).Where(IsVisible).Where(inner => File.Exists(Path.Combine(inner, "config.json"))).Order(StringComparer.Ordinal));

    private static bool IsVisible(string folder) => !Path.GetFileName(folder).StartsWith('.');

    private static string RevisionOf(string folder)
    {
        var text = new StringBuilder();
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"{Path.GetRelativePath(folder, file.FullName)}\n{file.Length}\n{file.LastWriteTimeUtc.Ticks}\n");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
