using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using LangTrain.Contracts;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Generation;

namespace LangTrain.AzureAdapters.Worker;

/// <summary>Asks workers over their internal HTTP API. Thread-safe; one a process, so that connections are kept.</summary>
internal sealed class HttpGenerationWorker : IGenerationWorker, IDisposable
{
    private readonly HttpClient? _client;

    /// <param name="worker">Address of the workers; null where this process has none to ask, and every call says so.</param>
    /// <param name="key">Key of their API.</param>
    public HttpGenerationWorker(Uri? worker, string? key)
    {
        if (worker is null)
        {
            return;
        }

        _client = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), ConnectTimeout = TimeSpan.FromSeconds(10) })
        {
            BaseAddress = worker,
            // A stream is as long as its answer; the caller's cancellation ends it.
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
        };
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<GenerationUpdate> GenerateAsync(
        GenerateWorkItem item, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var response = await PostAsync(WorkerRoutes.Generate, JsonContent.Create(item, LangTrainJson.Default.GenerateWorkItem), cancellation);
        if (!response.IsSuccessStatusCode)
        {
            throw new GenerationUnavailableException($"The worker answered {(int)response.StatusCode}.");
        }

        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        using var lines = new StreamReader(body);
        var ended = false;
        while (!ended)
        {
            var update = await ReadLineAsync(lines, cancellation);
            ended = update.Type is GenerationUpdate.Usage or GenerationUpdate.Failed;
            yield return update;
        }
    }

    /// <inheritdoc/>
    public async Task<TokenizeResult> TokenizeAsync(TokenizeWorkItem item, CancellationToken cancellation = default)
    {
        using var response = await PostAsync(WorkerRoutes.Tokenize, JsonContent.Create(item, LangTrainJson.Default.TokenizeWorkItem), cancellation);
        try
        {
            if (response.IsSuccessStatusCode && await response.Content.ReadFromJsonAsync(LangTrainJson.Default.TokenizeResult, cancellation) is { } result)
            {
                return result;
            }

            // What carries a failure is the worker's word; anything else (a proxy's page, a wrong key) is no worker.
            if (response.Content.Headers.ContentType?.MediaType == "application/json"
                && await response.Content.ReadFromJsonAsync(LangTrainJson.Default.GenerationFailure, cancellation) is { } failure)
            {
                throw new GenerationFailedException(failure);
            }
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or JsonException)
        {
            throw new GenerationUnavailableException("The worker's answer broke off.", broken);
        }

        throw new GenerationUnavailableException($"The worker answered {(int)response.StatusCode}.");
    }

    /// <inheritdoc/>
    public void Dispose() => _client?.Dispose();

    private static async Task<GenerationUpdate> ReadLineAsync(StreamReader lines, CancellationToken cancellation)
    {
        try
        {
            var line = await lines.ReadLineAsync(cancellation)
                ?? throw new GenerationUnavailableException("The worker's stream ended before its answer did.");
            return JsonSerializer.Deserialize(line, LangTrainJson.Default.GenerationUpdate)
                ?? throw new GenerationUnavailableException("The worker sent an empty line.");
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or JsonException)
        {
            throw new GenerationUnavailableException("The worker's stream broke off.", broken);
        }
    }

    private async Task<HttpResponseMessage> PostAsync(string path, HttpContent content, CancellationToken cancellation)
    {
        if (_client is null)
        {
            throw new GenerationUnavailableException("No worker is set up to answer (LANGTRAIN_WORKER_URL).");
        }

        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        }
        catch (HttpRequestException unreachable)
        {
            throw new GenerationUnavailableException("The worker cannot be reached.", unreachable);
        }
    }
}
