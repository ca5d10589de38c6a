using System.Text.Json;
using LangTrain.Contracts.Generation;
using LangTrain.Inference;

namespace LangTrain.Worker.Generation;

/// <summary>Turns the service's words into the engine's and back.</summary>
internal static class GenerationRequests
{
    /// <summary>What the engine is asked for.</summary>
    /// <exception cref="GenerationParameterException">A tool choice or response format that does not exist.</exception>
    public static TextGenerationRequest From(GenerateWorkItem item, AdapterLease? adapter) => new()
    {
        Prompt = item.Prompt,
        PromptTokens = item.PromptIds,
        Messages = item.Messages,
        Tools = item.Tools,
        ToolChoice = ToolChoiceOf(item.ToolChoice),
        OneToolCall = !item.ParallelToolCalls,
        ResponseFormat = ResponseFormatOf(item.ResponseFormat),
        Adapter = adapter,
        MaxNewTokens = item.MaxTokens,
        Sampling = new SamplingOptions
        {
            Temperature = (float)item.Temperature,
            TopP = (float)item.TopP,
            TopK = item.TopK,
            MinP = (float)item.MinP,
            FrequencyPenalty = (float)item.FrequencyPenalty,
            PresencePenalty = (float)item.PresencePenalty,
            RepetitionPenalty = (float)item.RepetitionPenalty,
            LogitBias = item.LogitBias?.ToDictionary(bias => bias.Key, bias => (float)bias.Value),
            Seed = item.Seed,
        },
        Stop = item.Stop,
        ChoiceCount = item.N,
        Echo = item.Echo,
        TopLogProbabilities = item.Logprobs ? item.TopLogprobs : null,
        Priority = item.Priority == GenerateWorkItem.Batch ? RequestPriority.Batch : RequestPriority.Interactive,
        FairnessKey = item.AccountId,
    };

    /// <summary>The lines that tell of one step.</summary>
    public static IEnumerable<GenerationUpdate> Updates(TextGenerationUpdate update)
    {
        if (update.PromptTokens is { } promptTokens)
        {
            yield return new GenerationUpdate { Type = GenerationUpdate.Started, PromptTokens = promptTokens };
            yield break;
        }

        if (update.Usage is { } usage)
        {
            yield return new GenerationUpdate
            {
                Type = GenerationUpdate.Usage,
                PromptTokens = usage.PromptTokens,
                CompletionTokens = usage.CompletionTokens,
                CachedTokens = usage.CachedTokens,
            };
            yield break;
        }

        if (update.Text.Length > 0 || update.LogProbabilities is not null)
        {
            yield return new GenerationUpdate
            {
                Type = GenerationUpdate.TextPiece,
                Index = update.ChoiceIndex,
                Text = update.Text,
                Logprobs = update.LogProbabilities?.Select(Logprob).ToList(),
            };
        }

        if (update.ToolCallPieces is { } pieces)
        {
            yield return new GenerationUpdate { Type = GenerationUpdate.ToolCallPiece, Index = update.ChoiceIndex, ToolCalls = Array(pieces, WritePiece) };
        }

        if (update.FinishReason is { } reason)
        {
            yield return new GenerationUpdate
            {
                Type = GenerationUpdate.Finished,
                Index = update.ChoiceIndex,
                FinishReason = reason switch
                {
                    FinishReason.Stop => "stop",
                    FinishReason.Length => "length",
                    FinishReason.ToolCalls => "tool_calls",
                    _ => throw new InvalidOperationException($"No word for {reason}."),
                },
                ToolCalls = update.ToolCalls is { } calls ? Array(calls, WriteCall) : null,
            };
        }
    }

    private static TokenLogprob Logprob(TextTokenLogProbability token) => new(
        token.TokenId, token.Text, [.. token.Bytes.Select(b => (int)b)], token.LogProbability,
        [.. token.Top.Select(top => new TokenLogprob(top.TokenId, top.Text, [.. top.Bytes.Select(b => (int)b)], top.LogProbability))], token.TextOffset);

    private static JsonElement Array<T>(IReadOnlyList<T> items, Action<Utf8JsonWriter, T> write)
    {
        var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            foreach (var item in items)
            {
                writer.WriteStartObject();
                write(writer, item);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        return JsonSerializer.Deserialize(buffer.ToArray(), WorkerJson.Default.JsonElement);
    }

    private static void WriteCall(Utf8JsonWriter writer, ToolCall call)
    {
        writer.WriteString("id", call.Id);
        writer.WriteString("type", "function");
        WriteFunction(writer, call.Name, call.Arguments);
    }

    private static void WritePiece(Utf8JsonWriter writer, ToolCallPiece piece)
    {
        writer.WriteNumber("index", piece.Index);
        if (piece.Id is not null)
        {
            writer.WriteString("id", piece.Id);
            writer.WriteString("type", "function");
        }

        WriteFunction(writer, piece.Name, piece.Arguments);
    }

    private static void WriteFunction(Utf8JsonWriter writer, string? name, string arguments)
    {
        writer.WriteStartObject("function");
        if (name is not null)
        {
            writer.WriteString("name", name);
        }

        writer.WriteString("arguments", arguments);
        writer.WriteEndObject();
    }

    private static ToolChoice ToolChoiceOf(JsonElement? choice) => choice switch
    {
        null => ToolChoice.Auto,
        { ValueKind: JsonValueKind.String } word => word.GetString() switch
        {
            "auto" => ToolChoice.Auto,
            "none" => ToolChoice.None,
            "required" => ToolChoice.Required,
            var other => throw new GenerationParameterException("tool_choice", $"tool_choice is '{other}'; allowed are auto, none, required, or a function."),
        },
        { ValueKind: JsonValueKind.Object } named when named.TryGetProperty("function", out var function)
            && function.ValueKind == JsonValueKind.Object && function.TryGetProperty("name", out var name)
            && name.ValueKind == JsonValueKind.String => ToolChoice.Function(name.GetString()!),
        _ => throw new GenerationParameterException("tool_choice", "tool_choice must be a word or {\"type\":\"function\",\"function\":{\"name\":…}}."),
    };

    private static ResponseFormat? ResponseFormatOf(JsonElement? format)
    {
        if (format is not { ValueKind: JsonValueKind.Object } given || !given.TryGetProperty("type", out var type))
        {
            return format is null ? null : throw new GenerationParameterException("response_format", "response_format must be an object with a type.");
        }

        return type.ValueKind == JsonValueKind.String ? type.GetString() switch
        {
            "text" => null,
            "json_object" => ResponseFormat.JsonObject,
            "json_schema" when given.TryGetProperty("json_schema", out var wrapper) && wrapper.ValueKind == JsonValueKind.Object
                && wrapper.TryGetProperty("schema", out var schema) => ResponseFormat.JsonSchema(schema),
            "json_schema" => throw new GenerationParameterException("response_format", "response_format of type json_schema needs json_schema.schema."),
            var other => throw new GenerationParameterException("response_format", $"response_format.type is '{other}'; allowed are text, json_object, json_schema."),
        } : throw new GenerationParameterException("response_format", "response_format.type must be a word.");
    }
}
