using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Core.Models;

namespace LangTrain.Core.FineTunes;

/// <summary>Checks what a fine-tune's request names: its model can be trained and its files are there. For submitting and for estimating. Thread-safe.</summary>
public sealed class CheckFineTune(ModelCatalog models, IFileStore files, StartAdapters startAdapters)
{
    /// <summary>Looks at the model and the files.</summary>
    /// <returns>The model, where its weights lie, and the configuration, in the shape of the model's adapter where it is one.</returns>
    /// <exception cref="ApiException">404 for a model or file that is not there; 409 for a model that is not ready; 400 for one that cannot be trained.</exception>
    public async Task<(StoredModel Model, GenerationTarget Target, FineTuneConfig Config)> ExecuteAsync(
        Caller caller, FineTuneRequest request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        var (model, target) = await models.ResolveAsync(caller.AccountId, request.ModelId, "model_id", cancellation);
        var config = target.Adapter is { } adapter ? await startAdapters.ContinueAsync(adapter, request.Config, cancellation) : request.Config;

        if (request.Config.TrainingConfig.MaxSeqLength is { } length && model.ContextLength > 0 && length > model.ContextLength)
        {
            throw ApiErrors.Invalid(
                $"config.training_config.max_seq_length is {length}; the model's context holds {model.ContextLength} tokens.", "config.training_config.max_seq_length");
        }

        if (request.Config.TrainingConfig is { EarlyStopping: not null, EvalSplit: 0 } && request.Dataset.ValidationFileId is null)
        {
            throw ApiErrors.Invalid(
                "config.training_config.early_stopping stops by the loss on held-out data, of which there is none: give an eval_split or a validation file.",
                "config.training_config.early_stopping");
        }

        await RequireFileAsync(caller.AccountId, request.Dataset.FileId, "dataset.file_id", cancellation);
        await RequireFileAsync(caller.AccountId, request.Dataset.ValidationFileId, "dataset.validation_file_id", cancellation);
        return (model, target, config);
    }

    private async Task RequireFileAsync(string accountId, string? fileId, string param, CancellationToken cancellation)
    {
        if (fileId is not null && await files.FindAsync(accountId, fileId, cancellation) is null)
        {
            throw ApiErrors.NotFound("file", fileId, param);
        }
    }
}
