using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Gives back the model folder of a GGUF file that <see cref="GgufExporter"/> made. Files of other makers are refused.</summary>
public static class GgufImporter
{
    /// <summary>Metadata keys of a folder's small files begin so.</summary>
    internal const string FilePrefix = "langtrain.file.";

    /// <summary>The key that GGUF's description has for a tokenizer.json.</summary>
    internal const string TokenizerKey = "tokenizer.huggingface.json";

    /// <summary>What may lie beside a tokenizer.json and is text.</summary>
    internal static readonly string[] TokenizerFiles = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "chat_template.json"];

    /// <summary>Writes a folder in Hugging Face layout: config, tokenizer files, safetensors. One tensor in memory at a time.</summary>
    /// <param name="path">The GGUF file. F32, F16 and BF16 come back as they are stored; Q8_0 comes back as the Float32 values that it stands for.</param>
    /// <param name="folder">Made where absent; files in it are replaced.</param>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or its tensors do not fit its config.</exception>
    /// <exception cref="UnsupportedModelException">The file was not made by <see cref="GgufExporter"/>, or its config is not honoured; names the key.</exception>
    public static void Import(string path, string folder)
    {
        using GgufSource source = GgufSource.Open(path, key => key == TokenizerKey || key.StartsWith(FilePrefix, StringComparison.Ordinal));
        string json = source.Texts.GetValueOrDefault(FilePrefix + "config.json")
            ?? throw new UnsupportedModelException(null, $"{Path.GetFileName(path)} was not exported by LangTrain: it has no '{FilePrefix}config.json'.");
        ModelConfig config = ModelConfig.Parse(json, source.Texts.GetValueOrDefault(FilePrefix + "generation_config.json"));
        using DecoderModel shapes = DecoderModel.Create(config, 0, new ModelLoadOptions { Device = META });
        List<StoredTensor> weights = [];
        foreach ((string name, long[] shape) in shapes.named_parameters().Select(pair => (pair.name, pair.parameter.shape)))
        {
            GgufSource.Entry entry = source.Find(GgufArchitecture.TensorName(config, name));
            if (!entry.Shape.SequenceEqual(shape))
            {
                throw new InvalidDataException($"'{entry.Name}' is [{string.Join(", ", entry.Shape)}] in the file; its config says [{string.Join(", ", shape)}].");
            }

            weights.Add(new StoredTensor(name, shape, source.Dtype, () => GgufExporter.Restored(config, name, source.Read(entry))));
        }

        Directory.CreateDirectory(folder);
        CheckpointSaver.WriteWeights(shapes, folder, weights);
        Write(folder, "tokenizer.json", source.Texts.GetValueOrDefault(TokenizerKey));
        foreach (string name in (string[])[.. TokenizerFiles, "generation_config.json"])
        {
            Write(folder, name, source.Texts.GetValueOrDefault(FilePrefix + name));
        }

        // Last, so that a folder with a config.json is complete.
        Write(folder, "config.json", CheckpointSaver.Config(config, source.Dtype));
    }

    private static void Write(string folder, string name, string? text)
    {
        if (text is not null)
        {
            File.WriteAllText(Path.Combine(folder, name), text);
        }
    }
}
