using LangTrain.Modeling.Tokenizers;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// Exports a model, with or without an adapter merged, as one GGUF file with tokenizer and chat template in it, for llama.cpp and what is built on it.
/// What llama.cpp would compute differently is refused, or cut to where it is the same.
/// </summary>
public static class GgufExporter
{
    /// <summary>Writes the file.</summary>
    /// <param name="model">The model, not quantized.</param>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="type">How matrices are stored.</param>
    /// <param name="tokenizerFolder">Folder with a tokenizer (and chat template); null writes a model without a vocabulary, for token ids only.</param>
    /// <param name="adapter">An adapter to merge; null exports the base.</param>
    /// <param name="name">Name of the model in the file.</param>
    /// <exception cref="InvalidOperationException">The model is quantized.</exception>
    /// <exception cref="UnsupportedModelException">llama.cpp has no way to say what this model or tokenizer does.</exception>
    /// <exception cref="FileNotFoundException">The folder has no tokenizer.</exception>
    public static void Export(DecoderModel model, string path, GgufType type, string? tokenizerFolder, LoraAdapter? adapter = null, string name = "model")
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Quantization != Quantization.None)
        {
            throw new InvalidOperationException("A quantized model cannot be exported: load the base unquantized.");
        }

        var file = new GgufFile();
        file.Add("general.architecture", GgufArchitecture.Name(model.Config));
        file.Add("general.name", name);
        file.Add("general.file_type", type switch { GgufType.F32 => 0u, GgufType.F16 => 1u, GgufType.Q8_0 => 7u, _ => 32u });
        file.Add("general.quantization_version", 2u);
        GgufArchitecture.Describe(model.Config, file);
        if (tokenizerFolder is null)
        {
            file.Add("tokenizer.ggml.model", "no_vocab");
        }
        else
        {
            GgufTokenizer.Describe(tokenizerFolder, model.Config, file);
        }

        AddOwnFiles(model.Config, tokenizerFolder, file);
        foreach ((string key, float[] factors) in GgufArchitecture.RopeFactors(model.Config))
        {
            file.Add(key, [factors.Length], GgufType.F32, () => tensor(factors));
        }

        foreach (StoredTensor weight in CheckpointSaver.Weights(model, model.Dtype, adapter))
        {
            string stored = GgufArchitecture.TensorName(model.Config, weight.Name);
            file.Add(stored, weight.Shape, weight.Name.EndsWith("wpe.weight", StringComparison.Ordinal) ? GgufType.F32 : type, () => Converted(model.Config, weight));
        }

        file.Save(path);
    }

    /// <summary>The folder's own small files ride along, so that <see cref="GgufImporter"/> can give the folder back; llama.cpp does not read them.</summary>
    private static void AddOwnFiles(ModelConfig config, string? tokenizerFolder, GgufFile file)
    {
        file.Add(GgufImporter.FilePrefix + "config.json", config.Json);
        if (config.GenerationJson is { } generation)
        {
            file.Add(GgufImporter.FilePrefix + "generation_config.json", generation);
        }

        if (tokenizerFolder is null)
        {
            return;
        }

        file.Add(GgufImporter.TokenizerKey, System.Text.Encoding.UTF8.GetString(TokenizerFolder.WholeJson(tokenizerFolder, Tokenizer.Load(tokenizerFolder))));
        foreach (string name in GgufImporter.TokenizerFiles.Where(name => File.Exists(Path.Combine(tokenizerFolder, name))))
        {
            file.Add(GgufImporter.FilePrefix + name, File.ReadAllText(Path.Combine(tokenizerFolder, name)));
        }
    }

    private static Tensor Converted(ModelConfig config, StoredTensor weight)
    {
        Tensor values = weight.Read();
        if (config.NormAddsOne && weight.Name.EndsWith("norm.weight", StringComparison.Ordinal))
        {
            return values.Plus(1); // llama.cpp's norms multiply by the weight as stored
        }

        bool isQuery = weight.Name.Contains(".self_attn.q_proj.", StringComparison.Ordinal), isKey = weight.Name.Contains(".self_attn.k_proj.", StringComparison.Ordinal);
        return GgufArchitecture.TurnsNeighbours(config) && (isQuery || isKey) ? Interleave(values, isQuery ? config.QueryHeads : config.KeyValueHeads) : values;
    }

    /// <summary>From pairs (i, i + D/2) to pairs (2i, 2i + 1): the rows of each head are dealt out alternately.</summary>
    private static Tensor Interleave(Tensor weight, int heads)
    {
        long rows = weight.shape[0], rest = weight.numel() / rows;
        return weight.view(heads, 2, rows / heads / 2, rest).transpose(1, 2).reshape(weight.shape);
    }

    /// <summary>The way back of what <see cref="Converted"/> does.</summary>
    internal static Tensor Restored(ModelConfig config, string name, Tensor values)
    {
        if (config.NormAddsOne && name.EndsWith("norm.weight", StringComparison.Ordinal))
        {
            return values.sub(Scalars.Of(1));
        }

        bool isQuery = name.Contains(".self_attn.q_proj.", StringComparison.Ordinal), isKey = name.Contains(".self_attn.k_proj.", StringComparison.Ordinal);
        if (!GgufArchitecture.TurnsNeighbours(config) || !(isQuery || isKey))
        {
            return values;
        }

        long heads = isQuery ? config.QueryHeads : config.KeyValueHeads, rows = values.shape[0], rest = values.numel() / rows;
        return values.view(heads, rows / heads / 2, 2, rest).transpose(1, 2).reshape(values.shape);
    }
}
