using System.Text.Json;

namespace LangTrain.Core.Models;

/// <summary>Reads what a model's files say of it: configuration, tensor names and sizes, tokenizer, chat template.</summary>
internal static class ModelInspector
{
    private const int LargestJsonBytes = 64 * 1024 * 1024;

    private static readonly string[] ContextKeys = ["max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"];

    /// <summary>Reads a Hugging Face folder or a PEFT adapter.</summary>
    /// <exception cref="InvalidDataException">It is neither, or its files are not what their formats allow; the message is for the owner.</exception>
    public static async Task<ModelFacts> InspectAsync(ModelFolder folder, CancellationToken cancellation)
    {
        var files = await folder.ListAsync(cancellation);
        var names = files.Select(file => file.Name).ToHashSet(StringComparer.Ordinal);
        if (names.Contains("adapter_config.json"))
        {
            return await InspectAdapterAsync(folder, files, cancellation);
        }

        if (!names.Contains("config.json"))
        {
            throw new InvalidDataException("There is no config.json (a model) and no adapter_config.json (an adapter).");
        }

        var config = await ReadJsonAsync(folder, "config.json", cancellation);
        if (!names.Contains("tokenizer.json") && !names.Contains("tokenizer.model") && !(names.Contains("vocab.json") && names.Contains("merges.txt")))
        {
            throw new InvalidDataException("There is no tokenizer.json, no tokenizer.model, and no vocab.json with merges.txt.");
        }

        var tensors = await ReadTensorsAsync(folder, files, await WeightFilesAsync(folder, names, cancellation), cancellation);
        return new ModelFacts
        {
            IsAdapter = false,
            ModelType = Text(config, "model_type") ?? throw new InvalidDataException("config.json has no model_type."),
            ParameterCount = tensors.Sum(pair => pair.Tensor.Count),
            ContextLength = ContextLength(config),
            HasChatTemplate = await HasChatTemplateAsync(folder, names, cancellation),
            Tensors = tensors,
        };
    }

    private static async Task<ModelFacts> InspectAdapterAsync(
        ModelFolder folder, IReadOnlyList<(string Name, long Bytes)> files, CancellationToken cancellation)
    {
        var config = await ReadJsonAsync(folder, "adapter_config.json", cancellation);
        if (Text(config, "peft_type") is { } type && !type.Equals("LORA", StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidDataException($"The adapter's peft_type is '{type}'; LORA is supported.");
        }

        if (!config.TryGetProperty("r", out var r) || !r.TryGetInt32(out var rank) || rank < 1)
        {
            throw new InvalidDataException("adapter_config.json has no rank 'r'.");
        }

        var tensors = await ReadTensorsAsync(folder, files, ["adapter_model.safetensors"], cancellation);
        if (!tensors.Any(pair => pair.Tensor.Name.Contains(".lora_A.", StringComparison.Ordinal)))
        {
            throw new InvalidDataException("adapter_model.safetensors holds no lora_A matrices.");
        }

        return new ModelFacts { IsAdapter = true, ParameterCount = tensors.Sum(pair => pair.Tensor.Count), Tensors = tensors, Rank = rank };
    }

    private static async Task<IReadOnlyList<string>> WeightFilesAsync(ModelFolder folder, HashSet<string> names, CancellationToken cancellation)
    {
        if (names.Contains("model.safetensors.index.json"))
        {
            var index = await ReadJsonAsync(folder, "model.safetensors.index.json", cancellation);
            if (!index.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            {
                throw new InvalidDataException("model.safetensors.index.json has no weight_map.");
            }

            return [.. map.EnumerateObject().Select(pair => pair.Value.GetString() ?? "").Distinct(StringComparer.Ordinal)];
        }

        return names.Contains("model.safetensors") ? ["model.safetensors"] : throw new InvalidDataException("There is no model.safetensors and no index of shards.");
    }

    private static async Task<IReadOnlyList<(string File, SafetensorsEntry Tensor)>> ReadTensorsAsync(
        ModelFolder folder, IReadOnlyList<(string Name, long Bytes)> files, IReadOnlyList<string> wanted, CancellationToken cancellation)
    {
        var tensors = new List<(string, SafetensorsEntry)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in wanted)
        {
            await using var stream = await folder.OpenAsync(name, cancellation) ?? throw new InvalidDataException($"The file '{name}' is missing.");
            foreach (var tensor in await SafetensorsHeader.ReadAsync(stream, files.First(file => file.Name == name).Bytes, cancellation))
            {
                if (!seen.Add(tensor.Name))
                {
                    throw new InvalidDataException($"The tensor '{tensor.Name}' is there twice.");
                }

                tensors.Add((name, tensor));
            }
        }

        return tensors;
    }

    private static async Task<bool> HasChatTemplateAsync(ModelFolder folder, HashSet<string> names, CancellationToken cancellation)
    {
        if (names.Contains("chat_template.jinja") || names.Contains("chat_template.json"))
        {
            return true;
        }

        if (!names.Contains("tokenizer_config.json"))
        {
            return false;
        }

        var config = await ReadJsonAsync(folder, "tokenizer_config.json", cancellation);
        return config.TryGetProperty("chat_template", out var template) && template.ValueKind is JsonValueKind.String or JsonValueKind.Array;
    }

    private static int ContextLength(JsonElement config)
    {
        // Multimodal configurations keep the language model's own numbers one level down.
        foreach (var level in (JsonElement?[])[config, config.TryGetProperty("text_config", out var text) ? text : null])
        {
            foreach (var key in level is { ValueKind: JsonValueKind.Object } ? ContextKeys : [])
            {
                if (level!.Value.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var length) && length > 0)
                {
                    return length;
                }
            }
        }

        throw new InvalidDataException("config.json does not say the context length (max_position_embeddings).");
    }

    private static async Task<JsonElement> ReadJsonAsync(ModelFolder folder, string name, CancellationToken cancellation)
    {
        await using var stream = await folder.OpenAsync(name, cancellation) ?? throw new InvalidDataException($"The file '{name}' is missing.");
        using var copy = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int read; (read = await stream.ReadAsync(buffer, cancellation)) > 0;)
        {
            copy.Write(buffer, 0, read);
            if (copy.Length > LargestJsonBytes)
            {
                throw new InvalidDataException($"The file '{name}' is too large.");
            }
        }

        try
        {
            var root = JsonElement.Parse(copy.GetBuffer().AsSpan(0, (int)copy.Length));
            return root.ValueKind == JsonValueKind.Object ? root : throw new InvalidDataException($"The file '{name}' is no JSON object.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The file '{name}' is not valid JSON.", e);
        }
    }

    private static string? Text(JsonElement config, string key) =>
        config.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
