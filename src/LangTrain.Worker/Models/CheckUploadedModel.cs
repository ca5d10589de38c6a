using LangTrain.Core.Models;
using LangTrain.Core.Models.Tasks;
using LangTrain.Core.Storage;
using LangTrain.Inference;
using LangTrain.Inference.Sampling;
using LangTrain.Modeling;
using LangTrain.Modeling.ChatTemplates;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Worker.Models;

/// <summary>Makes sure that an uploaded model is one: unpacked, formats and shapes right, every weight finite, loaded, and a few tokens generated with it.</summary>
internal sealed class CheckUploadedModel(IBlobStore blobs, ModelFiles models, ModelHostOptions hosting)
{
    private const int SampleTokens = 8;

    /// <summary>Checks it.</summary>
    /// <returns>What was found (prefix and revision still empty), and the folder that is to be kept.</returns>
    /// <exception cref="ModelRefusedException">It is no model that can be used, and why.</exception>
    public async Task<(ModelTaskResult Result, string Folder)> ExecuteAsync(ModelTask task, string scratch, CancellationToken cancellation)
    {
        try
        {
            var folder = Directory.CreateDirectory(Path.Combine(scratch, "model")).FullName;
            foreach (var upload in task.Uploads)
            {
                await FetchAsync(upload, scratch, folder, cancellation);
            }

            var isAdapter = File.Exists(Path.Combine(folder, "adapter_config.json"));
            if (isAdapter && task.Target is null)
            {
                throw new ModelRefusedException("base_model_missing", "It is an adapter: upload it again with base_model, the id of the model that it was trained on.");
            }

            DropPickles(folder, cancellation);
            var facts = await ModelFolderCheck.RunAsync(folder, cancellation);
            await GenerateAsync(folder, isAdapter ? task : null, cancellation);
            return (new ModelTaskResult
            {
                Prefix = "",
                Revision = "",
                IsAdapter = facts.IsAdapter,
                ParameterCount = facts.ParameterCount,
                ContextLength = facts.ContextLength,
                HasChatTemplate = facts.HasChatTemplate,
            }, folder);
        }
        catch (Exception fault) when (IsOwners(fault))
        {
            throw new ModelRefusedException("model_invalid", $"The model cannot be used: {fault.Message}", fault);
        }
    }

    private static bool IsOwners(Exception fault) => fault is InvalidDataException or UnsupportedModelException or UnsupportedTokenizerException
        or FileNotFoundException or AdapterRefusedException or ChatTemplateException or NonFiniteLogitsException or ServingMemoryException;

    private async Task FetchAsync(UploadedModelFile upload, string scratch, string folder, CancellationToken cancellation)
    {
        await using var content = await blobs.OpenReadAsync(upload.Container, upload.BlobName, cancellation: cancellation)
            ?? throw new ModelRefusedException("file_missing", $"The uploaded file '{upload.Filename}' was deleted before it was checked.");
        if (!UploadedModelNames.IsArchive(upload.Filename))
        {
            // Its name was checked when it came; it has no slash.
            await using var file = new FileStream(Path.Combine(folder, Path.GetFileName(upload.Filename)), FileMode.CreateNew);
            await content.CopyToAsync(file, cancellation);
            return;
        }

        var archive = Path.Combine(scratch, "archive");
        await using (var file = File.Create(archive))
        {
            await content.CopyToAsync(file, cancellation);
        }

        await ModelArchive.UnpackAsync(archive, upload.Filename, folder, cancellation: cancellation);
        File.Delete(archive);
    }

    /// <summary>Weights that came as pickles, read through the allow list, are kept as safetensors; pickles themselves are never kept.</summary>
    private static void DropPickles(string folder, CancellationToken cancellation)
    {
        TorchCheckpointConverter.ConvertFolder(folder, cancellation);
        foreach (var pickle in Directory.GetFiles(folder).Where(file => Path.GetFileName(file) is var name
            && (name.EndsWith(".bin", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".bin.index.json", StringComparison.OrdinalIgnoreCase))))
        {
            File.Delete(pickle);
        }
    }

    /// <summary>The way that a request takes: whatever loads and answers here will load and answer there.</summary>
    private async Task GenerateAsync(string folder, ModelTask? adapter, CancellationToken cancellation)
    {
        await using var host = new ModelHost(hosting);
        var name = adapter?.ModelId ?? "upload";
        var baseFolder = adapter is null ? folder : await models.GetFolderAsync(adapter.Target!.Base, cancellation);
        await using var lease = await host.AcquireAsync(name, baseFolder, cancellationToken: cancellation);
        await using var served = adapter is null ? null : await lease.Model.AcquireAdapterAsync(name, _ => Task.FromResult(folder), cancellation);
        var request = new TextGenerationRequest { Prompt = "Once", MaxNewTokens = SampleTokens, Adapter = served, Sampling = new SamplingOptions { Temperature = 0 } };
        await foreach (var update in lease.Model.Generator.GenerateAsync(request, cancellation))
        {
            if (update.Usage is { CompletionTokens: 0 })
            {
                throw new InvalidDataException("It generates nothing.");
            }
        }
    }
}
