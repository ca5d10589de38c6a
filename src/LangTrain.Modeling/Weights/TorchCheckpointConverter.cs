using System.Text.Json;
using System.Text.Json.Nodes;

namespace LangTrain.Modeling;

/// <summary>Turns PyTorch checkpoints (pickles) into safetensors, which is what everything else here reads. Runs nothing of what is in the files.</summary>
public static class TorchCheckpointConverter
{
    private const string SingleFile = "pytorch_model.bin", IndexFile = SingleFile + ".index.json";
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>Converts one file; one tensor in memory at a time, the target appears only when it is whole.</summary>
    /// <param name="path">A PyTorch checkpoint: <c>.bin</c>, <c>.pt</c>, <c>.pth</c>.</param>
    /// <param name="safetensorsPath">The file to make or replace.</param>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    /// <exception cref="InvalidDataException">The checkpoint is damaged.</exception>
    /// <exception cref="UnsupportedModelException">The checkpoint holds more than tensors and plain containers; names what.</exception>
    public static void Convert(string path, string safetensorsPath)
    {
        using TorchCheckpointFile file = TorchCheckpointFile.Open(path);
        SafetensorsWriter.Write(safetensorsPath, [.. file.Entries.Select(entry => new StoredTensor(entry.Name, [.. entry.Shape], entry.Dtype, () => file.Read(entry.Name)))]);
    }

    /// <summary>
    /// Converts the weights of a folder: <c>pytorch_model.bin</c>, or the shards of <c>pytorch_model.bin.index.json</c>, and <c>adapter_model.bin</c>, each where the
    /// folder has no safetensors file for it. The old files stay; removing them is the caller's.
    /// </summary>
    /// <param name="folder">A model or adapter folder in Hugging Face layout.</param>
    /// <param name="cancellation">Looked at before each file.</param>
    /// <returns>Names of the files made; empty where there was nothing to convert.</returns>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    /// <exception cref="InvalidDataException">A checkpoint or the index is damaged.</exception>
    /// <exception cref="UnsupportedModelException">A checkpoint holds more than tensors and plain containers; names what.</exception>
    public static IReadOnlyList<string> ConvertFolder(string folder, CancellationToken cancellation = default)
    {
        List<string> made = [];
        void One(string from, string to)
        {
            cancellation.ThrowIfCancellationRequested();
            Convert(Path.Combine(folder, from), Path.Combine(folder, to));
            made.Add(to);
        }

        bool Has(string name) => File.Exists(Path.Combine(folder, name));
        if (Has("adapter_model.bin") && !Has("adapter_model.safetensors"))
        {
            One("adapter_model.bin", "adapter_model.safetensors");
        }

        if (Has("model.safetensors") || Has("model.safetensors.index.json"))
        {
            return made;
        }

        if (Has(SingleFile))
        {
            One(SingleFile, "model.safetensors");
        }
        else if (Has(IndexFile))
        {
            Dictionary<string, string> map = CheckpointFolder.ReadIndex(Path.Combine(folder, IndexFile));
            Dictionary<string, string> renamed = map.Values.Distinct().ToDictionary(shard => shard, shard => Path.GetFileNameWithoutExtension(shard).Replace("pytorch_model", "model", StringComparison.Ordinal) + ".safetensors");
            foreach ((string shard, string target) in renamed)
            {
                One(shard, target);
            }

            // Last, so that a folder with an index is complete.
            var index = new JsonObject { ["metadata"] = new JsonObject(), ["weight_map"] = new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)renamed[pair.Value]))) };
            File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), index.ToJsonString(s_indented));
            made.Add("model.safetensors.index.json");
        }

        return made;
    }
}
