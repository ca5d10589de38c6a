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
    public static void Save(DecoderModel model, string folder, ScalarType? dtype, LoraAdapter? adapter = null, long maxShardBytes = MaxShardBytes)
    {
        if (model.Quantization != Quantization.None)
        {
            throw new InvalidOperationException("A quantized model cannot be saved: its weights are rounded. Save the adapter, or load the base unquantized.");
        }

        ScalarType type = dtype ?? model.Dtype;
        Directory.CreateDirectory(folder);
        WriteWeights(model, folder, Weights(model, type, adapter), maxShardBytes);
        if (model.Config.GenerationJson is { } generation)
        {
            File.WriteAllText(Path.Combine(folder, "generation_config.json"), generation);
        }

        // Last, so that a folder with a config.json is complete.
        File.WriteAllText(Path.Combine(folder, "config.json"), Config(model.Config, type));
    }

    /// <summary>The model's weights under their checkpoint names, the adapter's update in them.</summary>
    internal static IEnumerable<StoredTensor> Weights(DecoderModel model, ScalarType type, LoraAdapter? adapter)
    {
        foreach ((string name, Tensor tensor) in model.named_parameters().Select(pair => (pair.name, (Tensor)pair.parameter)))
        {
            string module = name.EndsWith(".weight", StringComparison.Ordinal) ? name[..^".weight".Length] : "";
            LinearLayer? merged = adapter?.Find(module) is null ? null : model.Linears[module];
            yield return new StoredTensor(name, tensor.shape, type, () => merged is null ? tensor.alias() : adapter!.MergedWeight(merged));
        }
    }

    /// <summary>Writes weights in the layout of the model's family, which may be on the meta device.</summary>
    internal static void WriteWeights(DecoderModel model, string folder, IEnumerable<StoredTensor> weights, long maxShardBytes = MaxShardBytes)
    {
        List<List<StoredTensor>> shards = [[]];
        long bytes = 0, total = 0;
        foreach (StoredTensor weight in weights)
        {
            long size = weight.Shape.Aggregate((long)weight.Dtype.ElementSize(), (product, dimension) => product * dimension);
            if (bytes + size > maxShardBytes && shards[^1].Count > 0)
            {
                shards.Add([]);
                bytes = 0;
            }

            shards[^1].Add(model.IsStoredTransposed(weight.Name) ? weight with { Shape = [.. weight.Shape.Reverse()], Read = () => weight.Read().t() } : weight);
            bytes += size;
            total += size;
        }

        if (shards.Count == 1)
        {
            SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), shards[0]);
            return;
        }

        var map = new JsonObject();
        for (int i = 0; i < shards.Count; i++)
        {
            string file = $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors";
            SafetensorsWriter.Write(Path.Combine(folder, file), shards[i]);
            shards[i].ForEach(weight => map[weight.Name] = file);
        }

        var index = new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = total }, ["weight_map"] = map };
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), index.ToJsonString(s_indented));
    }

    /// <summary>The config.json that the model came with, its dtype set to the stored one in the spelling that it uses.</summary>
    internal static string Config(ModelConfig config, ScalarType type)
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
