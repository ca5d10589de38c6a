using LangTrain.Core.Accounts;
using LangTrain.Core.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LangTrain.Functions.StartUp;

/// <summary>What has to be there before the first request means anything: the first account, and the rows of base models. Runs beside the start.</summary>
/// <remarks>Every instance does it, and doing it again changes nothing.</remarks>
public sealed class PrepareApp(LangTrainSettings settings, BootstrapAccount bootstrap, RegisterBaseModels models, ILogger<PrepareApp> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource<IReadOnlyList<RegisteredModel>> _prepared = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when all is there, with the models that were found.</summary>
    public Task<IReadOnlyList<RegisteredModel>> Prepared => _prepared.Task;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!_prepared.Task.IsCompleted)
        {
            try
            {
                _prepared.TrySetResult(await PrepareAsync(stoppingToken));
            }
            catch (ArgumentException wrong)
            {
                // A setting that no second try makes right.
                logger.NotPrepared(wrong);
                _prepared.TrySetException(wrong);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                logger.NotPrepared(failure);
                await Task.Delay(Pause, stoppingToken);
            }
        }
    }

    private async Task<IReadOnlyList<RegisteredModel>> PrepareAsync(CancellationToken cancellation)
    {
        if (settings.BootstrapApiKey is { } key)
        {
            await bootstrap.ExecuteAsync(key, settings.BootstrapTier, cancellation);
        }

        var found = new List<RegisteredModel>();
        if (settings.ModelsDirectory is { } folder)
        {
            found.AddRange(await models.FromDirectoryAsync(folder, cancellation));
        }

        found.AddRange(await models.FromContainerAsync(cancellation));
        await models.ListKnownAsync(cancellation);
        return found;
    }
}
