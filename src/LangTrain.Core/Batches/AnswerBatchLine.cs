using System.Globalization;
using System.Text.Json;
using LangTrain.Contracts;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Generation;
using LangTrain.Core.Http;

namespace LangTrain.Core.Batches;

/// <summary>Answers one line of a batch as its endpoint would, at the engine's lower priority. Thread-safe.</summary>
public sealed class AnswerBatchLine(CompleteChat chats, CompleteText texts, TimeProvider time)
{
    /// <summary>Answers.</summary>
    /// <returns>The line's end, good or bad.</returns>
    /// <exception cref="NotNowException">The workers are away or busy.</exception>
    internal async Task<BatchLineResult> ExecuteAsync(Caller owner, Batch batch, BatchLine line, CancellationToken cancellation)
    {
        var caller = owner with { RequestId = Ids.New("req", time) };
        try
        {
            var (body, usage) = await AnswerAsync(caller, batch.Endpoint, JsonBody.Parse(line.Body.Span), cancellation);
            return new(line.Number, true, usage.PromptTokens, usage.CompletionTokens, Output(batch, line, caller.RequestId, 200, body));
        }
        catch (ApiException busy) when (busy.Status is 429 or 503)
        {
            throw new NotNowException(busy.RetryAfter ?? TimeSpan.FromSeconds(2), busy);
        }
        catch (ApiException refused)
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(refused.ToEnvelope(), ApiJson.Wire.ErrorEnvelope);
            return new(line.Number, false, 0, 0, Output(batch, line, caller.RequestId, refused.Status, body));
        }
    }

    /// <summary>The end of a line that was never begun, or not in time.</summary>
    internal static BatchLineResult GiveUp(Batch batch, BatchLine line, string code, string message) => new(line.Number, false, 0, 0, LineJson.Write(writer =>
    {
        WriteHead(writer, batch, line);
        writer.WriteNull("response");
        writer.WriteStartObject("error");
        writer.WriteString("code", code);
        writer.WriteString("message", message);
        writer.WriteEndObject();
    }));

    private async Task<(byte[] Body, TokenUsageAnswer Usage)> AnswerAsync(
        Caller caller, string endpoint, RequestObject request, CancellationToken cancellation)
    {
        if (request.Flag("stream") == true)
        {
            request.Problems.Add("stream", "stream is not possible in a batch.", "unsupported_parameter");
        }

        if (endpoint == "/v1/completions")
        {
            var text = await texts.ExecuteAsync(caller, CompletionRequest.FromRequest(request) with { Priority = GenerateWorkItem.Batch }, cancellation);
            return (JsonSerializer.SerializeToUtf8Bytes(text, ApiJson.Wire.CompletionAnswer), text.Usage!);
        }

        var chat = await chats.ExecuteAsync(caller, ChatRequest.FromRequest(request) with { Priority = GenerateWorkItem.Batch }, cancellation);
        return (JsonSerializer.SerializeToUtf8Bytes(chat, ApiJson.Wire.ChatCompletionAnswer), chat.Usage!);
    }

    private static byte[] Output(Batch batch, BatchLine line, string requestId, int status, byte[] body) => LineJson.Write(writer =>
    {
        WriteHead(writer, batch, line);
        writer.WriteStartObject("response");
        writer.WriteNumber("status_code", status);
        writer.WriteString("request_id", requestId);
        writer.WritePropertyName("body");
        writer.WriteRawValue(body, skipInputValidation: true);
        writer.WriteEndObject();
        writer.WriteNull("error");
    });

    // The id follows from batch and line, so that a line that is told twice is told in the same words.
    private static void WriteHead(Utf8JsonWriter writer, Batch batch, BatchLine line)
    {
        writer.WriteString("id", string.Create(CultureInfo.InvariantCulture, $"batch_req-{batch.Id["batch-".Length..]}-{line.Number}"));
        writer.WriteString("custom_id", line.CustomId);
    }
}

/// <summary>Nobody can answer a line at the moment; it is to be tried again.</summary>
/// <param name="after">When.</param>
/// <param name="inner">Why.</param>
internal sealed class NotNowException(TimeSpan after, Exception inner) : Exception(inner.Message, inner)
{
    /// <summary>When to try again.</summary>
    public TimeSpan After { get; } = after;
}
