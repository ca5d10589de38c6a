using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Fills a model's weights from its folder, one tensor at a time, converting on the way.</summary>
internal static class CheckpointLoader
{
    /// <summary>Compares names and shapes.</summary>
    /// <param name="model">On the meta device, not quantized.</param>
    /// <param name="checkpoint">The folder's weights.</param>
    /// <exception cref="InvalidDataException">A weight is missing, unknown, or of the wrong shape.</exception>
    public static void Check(DecoderModel model, CheckpointFolder checkpoint)
    {
        HashSet<string> used = [];
        foreach ((string name, Parameter parameter) in model.named_parameters())
        {
            string stored = Stored(model, checkpoint, name) ?? throw new InvalidDataException($"The checkpoint lacks '{name}'.");
            long[] expected = model.IsStoredTransposed(name) ? [.. parameter.shape.Reverse()] : parameter.shape;
            if (!checkpoint.Entry(stored).Shape.SequenceEqual(expected))
            {
                throw new InvalidDataException($"'{stored}' is [{string.Join(", ", checkpoint.Entry(stored).Shape)}] in the checkpoint; config.json says [{string.Join(", ", expected)}].");
            }

            used.Add(stored);
        }

        if (checkpoint.Names.FirstOrDefault(name => !used.Contains(name) && !model.Drops(name)) is { } unknown)
        {
            throw new InvalidDataException($"The checkpoint holds '{unknown}', which a {model.Config.ModelType} model of this config.json does not have.");
        }
    }

    /// <summary>Fills the weights from a checkpoint that was checked.</summary>
    public static void Load(DecoderModel model, CheckpointFolder checkpoint)
    {
        using var frozen = no_grad();
        foreach ((string name, Parameter parameter) in model.named_parameters())
        {
            using var scope = NewDisposeScope();
            Tensor view = View(model, checkpoint, name);
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
            Tensor dense = View(model, checkpoint, linear.ModuleName + ".weight");
            linear.SetQuantized(model.Quantization == Quantization.Int8
                ? Int8Weight.Quantize(dense.to(model.Device), model.Dtype)
                : Nf4.Quantize(dense.to(model.Device), model.Dtype));
            Forget(dense);
        }

        foreach (EmbeddingLayer table in model.Tables.Where(table => table.IsQuantized))
        {
            using var scope = NewDisposeScope();
            Tensor dense = View(model, checkpoint, table.ModuleName + ".weight");
            table.SetQuantized(Int8Weight.Quantize(dense.to(model.Device), model.Dtype));
            Forget(dense);
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

    private static string? Stored(DecoderModel model, CheckpointFolder checkpoint, string name) => model.StoredNames(name).FirstOrDefault(checkpoint.Contains);

    private static Tensor View(DecoderModel model, CheckpointFolder checkpoint, string name)
    {
        Tensor view = checkpoint.View(Stored(model, checkpoint, name)!);
        return model.IsStoredTransposed(name) ? view.t() : view;
    }
}
