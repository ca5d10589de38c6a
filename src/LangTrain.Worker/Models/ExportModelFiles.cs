using System.IO.Compression;
using LangTrain.Core.Models.Tasks;
using LangTrain.Modeling;
using LangTrain.Modeling.Tokenizers;
using static TorchSharp.torch;

namespace LangTrain.Worker.Models;

/// <summary>Makes files of a model in the layout that its owner asked for.</summary>
internal sealed class ExportModelFiles(ModelFiles models)
{
    private static readonly string[] PeftFiles = ["adapter_config.json", "adapter_model.safetensors"];

    /// <summary>Makes them.</summary>
    /// <returns>What is to be said of them (prefix and revision still empty), and their folder.</returns>
    /// <exception cref="ModelRefusedException">The model has no such form.</exception>
    public async Task<(ModelTaskResult Result, string Folder)> ExecuteAsync(ModelTask task, string scratch, CancellationToken cancellation)
    {
        var target = task.Target ?? throw new InvalidOperationException("An export has its model.");
        var output = Directory.CreateDirectory(Path.Combine(scratch, "output")).FullName;
        var notes = new List<string>();
        try
        {
            var adapter = target.Adapter is { } source ? await models.GetFolderAsync(source, cancellation) : null;
            if (task.Format == "peft")
            {
                await WritePeftAsync(adapter ?? throw new ModelRefusedException("not_an_adapter", "The model is no adapter."), output, cancellation);
            }
            else
            {
                var folder = await models.GetFolderAsync(target.Base, cancellation);
                if (target.Quantization is not null && adapter is not null)
                {
                    notes.Add("The adapter was trained over 4-bit weights and is merged here into the full ones, so that answers can differ a little.");
                }

                WriteWeights(task, folder, adapter, output);
            }

            return (new ModelTaskResult { Prefix = "", Revision = "", Notes = notes }, output);
        }
        catch (Exception fault) when (fault is UnsupportedModelException or UnsupportedTokenizerException or InvalidDataException or FileNotFoundException or ModelFilesMissingException)
        {
            throw new ModelRefusedException("export_not_possible", $"The model cannot be exported as '{task.Format}': {fault.Message}", fault);
        }
    }

    private static async Task WritePeftAsync(string adapter, string output, CancellationToken cancellation)
    {
        foreach (var name in PeftFiles)
        {
            File.Copy(Path.Combine(adapter, name), Path.Combine(output, name));
        }

        // One file to take away, which can be uploaded again as it is.
        await using var zip = await ZipFile.OpenAsync(Path.Combine(output, "adapter.zip"), ZipArchiveMode.Create, cancellation);
        foreach (var name in PeftFiles)
        {
            await zip.CreateEntryFromFileAsync(Path.Combine(output, name), name, CompressionLevel.NoCompression, cancellation);
        }
    }

    private static void WriteWeights(ModelTask task, string folder, string? adapterFolder, string output)
    {
        // In 32 bits, so that merging rounds once, at the end.
        using var model = DecoderModel.Load(folder, new ModelLoadOptions { Dtype = ScalarType.Float32 });
        using var adapter = adapterFolder is null ? null : LoraAdapter.LoadPeft(adapterFolder, model);
        if (task.Format == "gguf")
        {
            var type = task.Dtype switch { "f32" => GgufType.F32, "bf16" => GgufType.BF16, "q8_0" => GgufType.Q8_0, _ => GgufType.F16 };
            GgufExporter.Export(model, Path.Combine(output, $"model-{task.Dtype}.gguf"), type, folder, adapter, task.ModelId);
            return;
        }

        var dtype = task.Dtype switch { "f32" => ScalarType.Float32, "f16" => ScalarType.Float16, "bf16" => ScalarType.BFloat16, _ => StoredType(model.Config.Json) };
        if (adapter is null)
        {
            model.Save(output, dtype);
        }
        else
        {
            model.SaveMerged(output, adapter, dtype);
        }

        ModelCompanions.Copy(folder, output);
    }

    private static ScalarType StoredType(string config)
    {
        var json = System.Text.Json.JsonElement.Parse(config);
        var word = json.TryGetProperty("dtype", out var dtype) || json.TryGetProperty("torch_dtype", out dtype) ? dtype.ToString() : "";
        return word switch { "bfloat16" => ScalarType.BFloat16, "float16" => ScalarType.Float16, _ => ScalarType.Float32 };
    }
}
