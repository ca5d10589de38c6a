using System.Buffers;
using System.IO.Pipelines;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Generation;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Generation;

namespace LangTrain.AzureAdapters.Worker;

/// <summary>Asks workers over their internal HTTP API. Thread-safe; one a process, so that connections are kept.</summary>
internal sealed class HttpGenerationWorker : IGenerationWorker, ITrainingWorker, IDisposable
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

        _client = new HttpClient(new SocketsHttpHandler
        {
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            // Who breaks off closes the connection at once; reading on to save it would keep the worker at work.
            ResponseDrainTimeout = TimeSpan.Zero,
            ConnectCallback = ConnectAsync,
        })
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
            var failure = await ReadFailureAsync(response, cancellation) ?? throw Unexpected(response);
            yield return new GenerationUpdate { Type = GenerationUpdate.Failed, Error = failure };
            yield break;
        }

        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        var lines = PipeReader.Create(body, new StreamPipeReaderOptions(leaveOpen: true));
        try
        {
            for (var ended = false; !ended;)
            {
                var update = await ReadLineAsync(lines, cancellation);
                ended = update.Type is GenerationUpdate.Usage or GenerationUpdate.Failed;
                yield return update;
            }
        }
        finally
        {
            await lines.CompleteAsync();
        }
    }

    /// <inheritdoc/>
    public Task<TokenizeResult> TokenizeAsync(TokenizeWorkItem item, CancellationToken cancellation = default) =>
        AskAsync(WorkerRoutes.Tokenize, item, LangTrainJson.Default.TokenizeWorkItem, LangTrainJson.Default.TokenizeResult, cancellation);

    /// <inheritdoc/>
    public Task<PreviewResult> PreviewAsync(PreviewWorkItem item, CancellationToken cancellation = default) =>
        AskAsync(WorkerRoutes.Preview, item, LangTrainJson.Default.PreviewWorkItem, LangTrainJson.Default.PreviewResult, cancellation);

    /// <inheritdoc/>
    public Task<TrainingEstimateAnswer> EstimateAsync(EstimateWorkItem item, CancellationToken cancellation = default) =>
        AskAsync(WorkerRoutes.Estimate, item, LangTrainJson.Default.EstimateWorkItem, LangTrainJson.Default.TrainingEstimateAnswer, cancellation);

    /// <inheritdoc/>
    public void Dispose() => _client?.Dispose();

    private async Task<TAnswer> AskAsync<TItem, TAnswer>(
        string path, TItem item, JsonTypeInfo<TItem> itemType, JsonTypeInfo<TAnswer> answerType, CancellationToken cancellation)
    {
        using var response = await PostAsync(path, JsonContent.Create(item, itemType), cancellation);
        if (!response.IsSuccessStatusCode)
        {
            throw await ReadFailureAsync(response, cancellation) is { } failure ? new GenerationFailedException(failure) : Unexpected(response);
        }

        try
        {
            return await response.Content.ReadFromJsonAsync(answerType, cancellation) ?? throw new JsonException("It is null.");
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or JsonException)
        {
            throw new GenerationUnavailableException("The worker's answer broke off.", broken);
        }
    }

    // Read as bytes: a token a line, for every stream at once, is most of what this process does.
    private static async ValueTask<GenerationUpdate> ReadLineAsync(PipeReader lines, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                var read = await lines.ReadAsync(cancellation);
                if (read.Buffer.PositionOf((byte)'\n') is { } end)
                {
                    var update = Parse(read.Buffer.Slice(0, end));
                    lines.AdvanceTo(read.Buffer.GetPosition(1, end));
                    return update ?? throw new GenerationUnavailableException("The worker sent an empty line.");
                }

                if (read.IsCompleted)
                {
                    throw new GenerationUnavailableException("The worker's stream ended before its answer did.");
                }

                lines.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or JsonException)
        {
            throw new GenerationUnavailableException("The worker's stream broke off.", broken);
        }
    }

    private static GenerationUpdate? Parse(in ReadOnlySequence<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        return JsonSerializer.Deserialize(ref reader, LangTrainJson.Default.GenerationUpdate);
    }

    /// <summary>What the worker itself says; null where the answer is somebody else's (a proxy's page, a refused key).</summary>
    private static async Task<GenerationFailure?> ReadFailureAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (response.Content.Headers.ContentType?.MediaType != "application/json")
        {
            return null;
        }

        try
        {
            var failure = await response.Content.ReadFromJsonAsync(LangTrainJson.Default.GenerationFailure, cancellation);
            return failure is { Status: > 0, Code: not null, Message: not null } ? failure : null;
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or JsonException)
        {
            return null;
        }
    }

    private static GenerationUnavailableException Unexpected(HttpResponseMessage response) => new($"The worker answered {(int)response.StatusCode}.");

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // A long answer may be silent for minutes (a model is loaded); only this tells a slow worker from one whose machine is gone.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 4);
            await socket.ConnectAsync(context.DnsEndPoint, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
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
