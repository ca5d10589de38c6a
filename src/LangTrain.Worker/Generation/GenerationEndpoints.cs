using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using LangTrain.Contracts;
using LangTrain.Contracts.Generation;
using LangTrain.Inference;

namespace LangTrain.Worker.Generation;

/// <summary>The worker's internal API: generate (a stream of lines), tokenize, health.</summary>
internal static class GenerationEndpoints
{
    private static readonly byte[] LineEnd = "\n"u8.ToArray();

    /// <summary>Adds the routes. Health is open; the rest wants the worker key.</summary>
    public static void MapGeneration(this WebApplication app)
    {
        app.MapGet(WorkerRoutes.Health, () => Results.Text("ok"));
        var guarded = app.MapGroup("").AddEndpointFilter<WorkerKeyFilter>();
        guarded.MapPost(WorkerRoutes.Generate, GenerateAsync);
        guarded.MapPost(WorkerRoutes.Tokenize, TokenizeAsync);
        guarded.MapPost(WorkerRoutes.Preview, PreviewEndpoint.PreviewAsync);
    }

    private static async Task GenerateAsync(HttpContext http, ServedModels models, ILoggerFactory loggers)
    {
        var logger = loggers.CreateLogger(typeof(GenerationEndpoints));
        var cancellation = http.RequestAborted;
        var item = await ReadAsync(http, LangTrainJson.Default.GenerateWorkItem);
        if (item is null)
        {
            return;
        }

        http.Response.ContentType = "application/x-ndjson";
        var writer = http.Response.BodyWriter;
        try
        {
            await using var served = await models.OpenBaseAsync(item.Target, cancellation);
            await using var adapter = await models.OpenAdapterAsync(served.Model, item.Target, cancellation);
            var updates = served.Model.Generator.GenerateAsync(GenerationRequests.From(item, adapter), cancellation);
            await foreach (var update in updates)
            {
                foreach (var line in GenerationRequests.Updates(update))
                {
                    await WriteAsync(writer, line, cancellation);
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The caller went away; leaving the loop ended its rows.
        }
        catch (Exception failure)
        {
            var known = GenerationFailures.Known(failure, item.Messages is null ? "prompt" : "messages");
            if (known is null)
            {
                logger.GenerationFailed(failure, item.RequestId, item.Target.ModelId);
            }

            await WriteAsync(
                writer, new GenerationUpdate { Type = GenerationUpdate.Failed, Error = known ?? GenerationFailures.Internal }, cancellation);
        }
    }

    private static async Task TokenizeAsync(HttpContext http, ServedModels models, ILoggerFactory loggers)
    {
        var item = await ReadAsync(http, LangTrainJson.Default.TokenizeWorkItem);
        if (item is null)
        {
            return;
        }

        try
        {
            await using var served = await models.OpenBaseAsync(item.Target, http.RequestAborted);
            await http.Response.WriteAsJsonAsync(Tokenize(item, served.Model), LangTrainJson.Default.TokenizeResult);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            var known = GenerationFailures.Known(failure);
            if (known is null)
            {
                loggers.CreateLogger(typeof(GenerationEndpoints)).GenerationFailed(failure, http.TraceIdentifier, item.Target.ModelId);
            }

            known ??= GenerationFailures.Internal;
            http.Response.StatusCode = known.Status;
            await http.Response.WriteAsJsonAsync(known, LangTrainJson.Default.GenerationFailure);
        }
    }

    private static TokenizeResult Tokenize(TokenizeWorkItem item, ServedModel model)
    {
        var tokenizer = model.Tokenizer;
        if (item.Ids is { } given)
        {
            foreach (var id in given)
            {
                if (id < 0 || id >= tokenizer.VocabularySize)
                {
                    throw new GenerationParameterException("ids", $"ids has {id}; the model's tokens are 0 to {tokenizer.VocabularySize - 1}.");
                }
            }
        }

        var ids = item.Ids
            ?? (item.Messages is { } messages
                ? model.Generator.EncodePrompt(new TextGenerationRequest { Messages = messages })
                : tokenizer.Encode(item.Text ?? "", item.AddSpecialTokens, item.ParseSpecial));
        return new TokenizeResult(ids, [.. ids.Select(tokenizer.TokenText)], tokenizer.Decode(ids, skipSpecialTokens: false));
    }

    internal static async Task<T?> ReadAsync<T>(HttpContext http, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(http.Request.Body, type, http.RequestAborted)
                ?? throw new JsonException("The body is null.");
        }
        catch (JsonException failure)
        {
            // Only another version of this product can send what this one cannot read.
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            await http.Response.WriteAsJsonAsync(
                new GenerationFailure(400, "invalid_work_item", failure.Message), LangTrainJson.Default.GenerationFailure);
            return null;
        }
    }

    private static async ValueTask WriteAsync(PipeWriter writer, GenerationUpdate update, CancellationToken cancellation)
    {
        using (var json = new Utf8JsonWriter((IBufferWriter<byte>)writer))
        {
            JsonSerializer.Serialize(json, update, LangTrainJson.Default.GenerationUpdate);
        }

        writer.Write(LineEnd);
        // Each line leaves at once: a token that waits for the next one is late.
        await writer.FlushAsync(cancellation);
    }
}
