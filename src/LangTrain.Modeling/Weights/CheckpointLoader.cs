using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Fills a model's weights from its folder, one tensor at a time, converting on the way.</summary>
internal static class CheckpointLoader
{
    /// <exception cref="InvalidDataException">A weight is missing, unknown, or of the wrong shape.</exception>
    public static void Load(DecoderModel model, string folder)
    {
        using CheckpointFolder checkpoint = CheckpointFolder.Open(folder);
        using var frozen = no_grad();
        HashSet<string> used = [];
        foreach ((string name, Parameter parameter) in model.named_parameters())
        {
            using var scope = NewDisposeScope();
            Tensor view = View(model, checkpoint, used, name, parameter.shape);
            if (model.Options.MapWeights && view.dtype == parameter.dtype && parameter.device.type == DeviceType.CPU && view.is_contiguous())
            {
                parameter.set_(view);
            }
            else
            {
                parameter.copy_(view);
                Forget(view);
            }
        }

        foreach (LinearLayer linear in model.Linears.Values.Where(linear => linear.IsQuantized))
        {
            using var scope = NewDisposeScope();
            Tensor dense = View(model, checkpoint, used, linear.ModuleName + ".weight", [linear.OutputSize, linear.InputSize]);
            linear.SetQuantized(model.Quantization == Quantization.Int8
                ? Int8Weight.Quantize(dense.to(model.Device), model.Dtype)
                : Nf4.Quantize(dense.to(model.Device), model.Dtype));
            Forget(dense);
        }

        foreach (EmbeddingLayer table in model.Tables.Where(table => table.IsQuantized))
        {
            using var scope = NewDisposeScope();
            Tensor dense = View(model, checkpoint, used, table.ModuleName + ".weight", table.Shape);
            table.SetQuantized(Int8Weight.Quantize(dense.to(model.Device), model.Dtype));
            Forget(dense);
        }

        if (checkpoint.Names.FirstOrDefault(name => !used.Contains(name) && !model.Drops(name)) is { } unknown)
        {
            throw new InvalidDataException($"The checkpoint holds '{unknown}', which a {model.Config.ModelType} model of this config.json does not have.");
        }
    }

    /// <summary>Lets the system take back the file's pages under a tensor that was copied: else the whole file counts as this process's memory at the end.</summary>
    private static void Forget(Tensor view)
    {
        if (OperatingSystem.IsLinux())
        {
            MemoryPages.Forget(TorchOperator.DataOf(view), view.numel() * view.element_size());
        }
    }

    private static Tensor View(DecoderModel model, CheckpointFolder checkpoint, HashSet<string> used, string name, long[] shape)
    {
        string stored = model.StoredNames(name).FirstOrDefault(checkpoint.Contains) ?? throw new InvalidDataException($"The checkpoint lacks '{name}'.");
        bool transposed = model.IsStoredTransposed(name);
        SafetensorsEntry entry = checkpoint.Entry(stored);
        if (!entry.Shape.SequenceEqual(transposed ? shape.Reverse() : shape))
        {
            throw new InvalidDataException($"'{stored}' is [{string.Join(", ", entry.Shape)}] in the checkpoint; config.json says [{string.Join(", ", transposed ? shape.Reverse() : shape)}].");
        }

        used.Add(stored);
        Tensor view = checkpoint.View(stored);
        return transposed ? view.t() : view;
    }
}
