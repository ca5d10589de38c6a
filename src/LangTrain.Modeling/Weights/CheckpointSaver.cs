using System.Text.Json;
using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Writes a model as a Hugging Face folder.</summary>
internal static class CheckpointSaver
{
    private const long MaxShardBytes = 5_000_000_000;
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <exception cref="InvalidOperationException">The model is quantized.</exception>
    public static void Save(DecoderModel model, string folder, ScalarType? dtype, long maxShardBytes = MaxShardBytes)
    {
        if (model.Quantization != Quantization.None)
        {
            throw new InvalidOperationException("A quantized model cannot be saved: its weights are rounded. Save the adapter, or load the base unquantized.");
        }

        ScalarType type = dtype ?? model.Dtype;
        Directory.CreateDirectory(folder);
        WriteWeights(model, folder, type, maxShardBytes);
        if (model.Config.GenerationJson is { } generation)
        {
            File.WriteAllText(Path.Combine(folder, "generation_config.json"), generation);
        }

        // Last, so that a folder with a config.json is complete.
        File.WriteAllText(Path.Combine(folder, "config.json"), Config(model.Config, type));
    }

    private static void WriteWeights(DecoderModel model, string folder, ScalarType type, long maxShardBytes)
    {
        using var scope = NewDisposeScope();
        List<List<KeyValuePair<string, Tensor>>> shards = [[]];
        long bytes = 0, total = 0;
        foreach ((string name, Tensor tensor) in model.named_parameters().Select(pair => (pair.name, (Tensor)pair.parameter)))
        {
            long size = tensor.numel() * type.ElementSize();
            if (bytes + size > maxShardBytes && shards[^1].Count > 0)
            {
                shards.Add([]);
                bytes = 0;
            }

            shards[^1].Add(new(name, model.IsStoredTransposed(name) ? tensor.t() : tensor)); // a view; made dense one by one when written
            bytes += size;
            total += size;
        }

        if (shards.Count == 1)
        {
            SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), shards[0], type);
            return;
        }

        var map = new JsonObject();
        for (int i = 0; i < shards.Count; i++)
        {
            string file = $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors";
            SafetensorsWriter.Write(Path.Combine(folder, file), shards[i], type);
            shards[i].ForEach(pair => map[pair.Key] = file);
        }

        var index = new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = total }, ["weight_map"] = map };
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), index.ToJsonString(s_indented));
    }

    /// <summary>The config.json that the model came with, its dtype set to the stored one in the spelling that it uses.</summary>
    private static string Config(ModelConfig config, ScalarType type)
    {
        JsonObject json = JsonNode.Parse(config.Json)!.AsObject();
        json[json.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = type switch
        {
            ScalarType.BFloat16 => "bfloat16",
            ScalarType.Float16 => "float16",
            ScalarType.Float64 => "float64",
            _ => "float32",
        };
        return json.ToJsonString(s_indented);
    }
}
