using LangTrain.Contracts.Generation;
using LangTrain.Inference;
using LangTrain.Modeling;
using LangTrain.Worker.Models;

namespace LangTrain.Worker.Generation;

/// <summary>Brings the models that requests name into memory: files by <see cref="ModelFiles"/>, engines by <see cref="ModelHost"/>. Thread-safe.</summary>
internal sealed class ServedModels(ModelHost host, ModelFiles files)
{
    /// <summary>A lease on the target's base model.</summary>
    /// <exception cref="ModelFilesMissingException">Its files are not there.</exception>
    public async Task<ModelLease> OpenBaseAsync(GenerationTarget target, CancellationToken cancellation)
    {
        var folder = await files.GetFolderAsync(target.Base, cancellation);
        return await host.AcquireAsync(target.Base.Folder, folder, target.Quantization == "nf4" ? Quantization.NF4 : Quantization.None, cancellation);
    }

    /// <summary>A lease on the target's adapter over its base model; null where it has none.</summary>
    /// <exception cref="AdapterRefusedException">It cannot be served exactly over this base.</exception>
    public async Task<AdapterLease?> OpenAdapterAsync(ServedModel model, GenerationTarget target, CancellationToken cancellation) =>
        target.Adapter is not { } adapter
            ? null
            : await model.AcquireAdapterAsync($"{adapter.Container}/{adapter.Folder}@{adapter.Revision}", stop => files.GetFolderAsync(adapter, stop), cancellation);
}
