using static TorchSharp.torch;

namespace LangTrain.Modeling.Weights.Pickle;

/// <summary>Everything that a pickle may refer to, and what is made of it: the allow list.</summary>
internal static class PickleCallables
{
    private const string RebuildTensor = "torch._utils._rebuild_tensor_v2", RebuildOldTensor = "torch._utils._rebuild_tensor", RebuildNewTensor = "torch._utils._rebuild_tensor_v3", UntypedStorage = "torch.storage.UntypedStorage",
        RebuildParameter = "torch._utils._rebuild_parameter", OrderedDictionary = "collections.OrderedDict";

    private static readonly Dictionary<string, ScalarType> s_storages = new()
    {
        ["torch.FloatStorage"] = ScalarType.Float32,
        ["torch.DoubleStorage"] = ScalarType.Float64,
        ["torch.HalfStorage"] = ScalarType.Float16,
        ["torch.BFloat16Storage"] = ScalarType.BFloat16,
        ["torch.LongStorage"] = ScalarType.Int64,
        ["torch.IntStorage"] = ScalarType.Int32,
        ["torch.ShortStorage"] = ScalarType.Int16,
        ["torch.CharStorage"] = ScalarType.Int8,
        ["torch.ByteStorage"] = ScalarType.Byte,
        ["torch.BoolStorage"] = ScalarType.Bool,
    };

    /// <summary>Names that stand for plain values beside the weights; what they are given is dropped.</summary>
    private static readonly HashSet<string> s_plain =
    [
        "torch.Size", "torch.device", "torch.float32", "torch.float64", "torch.float16", "torch.bfloat16", "torch.int64", "torch.int32", "torch.int16", "torch.int8", "torch.uint8", "torch.bool",
        "builtins.set", "builtins.frozenset", "__builtin__.set", "collections.defaultdict",
    ];

    public static bool IsKnown(string name) =>
        name is RebuildTensor or RebuildOldTensor or RebuildNewTensor or RebuildParameter or OrderedDictionary or UntypedStorage || s_storages.ContainsKey(name) || s_plain.Contains(name);

    /// <summary>What a call of the name stands for.</summary>
    /// <exception cref="InvalidDataException">The arguments are not what they must be.</exception>
    public static object? Make(PickleGlobal callable, IReadOnlyList<object?> arguments, string file) => callable.Name switch
    {
        OrderedDictionary => new PickleDictionary(),
        RebuildTensor when arguments is [_, _, _, _, _, _, PickleDictionary marks, ..] && marks.Items.Any(mark => mark.Value is not false) => throw new UnsupportedModelException(
            null, $"{file} holds a tensor that is stored as another one's '{marks.Items.First(mark => mark.Value is not false).Key}' view. Make its tensors plain (torch.Tensor.resolve_neg, resolve_conj) or save the weights as safetensors."),
        RebuildTensor or RebuildOldTensor when arguments is [PickleStorage storage, long offset, PickleList shape, PickleList strides, ..] => Tensor(storage, offset, shape, strides, file),
        RebuildParameter when arguments is [PickleTensor tensor, ..] => tensor,
        string name when s_plain.Contains(name) => new PickleGlobal(name),
        string name => throw Bad(file, $"'{name}' is called with what it does not take"),
    };

    /// <summary>A persistent id: <c>("storage", type, key, device, count, …)</c>.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    /// <exception cref="UnsupportedModelException">The elements' type is not readable.</exception>
    public static PickleStorage Storage(object? id, string file)
    {
        if (id is PickleList { Items: ["storage", PickleGlobal { Name: UntypedStorage }, ..] })
        {
            throw new UnsupportedModelException(null, $"{file} holds a tensor of a newer element type (8-bit floats, for example); readable are float64, float32, float16, bfloat16, the signed integers, uint8 and bool. Convert the weights to bfloat16 first.");
        }

        if (id is not PickleList { Items: ["storage", PickleGlobal type, string key, _, long count, ..] parts } || count < 0 || !s_storages.TryGetValue(type.Name, out ScalarType dtype))
        {
            throw Bad(file, "a storage is not described as PyTorch does it");
        }

        // Files of PyTorch before 1.6 could make a storage a part of another one.
        return parts.Count > 5 && parts[5] is not null ? throw new UnsupportedModelException(null, $"{file} is an old PyTorch file with storages inside storages; load it with PyTorch and save it as safetensors.") : new PickleStorage(key, dtype, count);
    }

    private static PickleTensor Tensor(PickleStorage storage, long offset, PickleList shape, PickleList strides, string file)
    {
        long[] Numbers(PickleList list) => [.. list.Items.Select(item => item is long number and >= 0 ? number : throw Bad(file, "a shape or a stride is no whole number"))];
        (long[] sizes, long[] steps) = (Numbers(shape), Numbers(strides));
        if (sizes.Length != steps.Length || sizes.Length > 64 || offset < 0)
        {
            throw Bad(file, "a tensor's shape and strides do not fit");
        }

        Int128 count = 1, last = offset;
        for (int i = 0; i < sizes.Length; i++)
        {
            count *= sizes[i];
            last += (Int128)Math.Max(sizes[i] - 1, 0) * steps[i];
            if (count > storage.Count)
            {
                // A view may repeat elements; a file of a few bytes could then claim any size.
                throw Bad(file, $"a tensor has more elements than the {storage.Count} that are stored for it");
            }
        }

        return count == 0 || last < storage.Count
            ? new PickleTensor(storage, offset, sizes, steps)
            : throw Bad(file, "a tensor reaches beyond its storage");
    }

    private static InvalidDataException Bad(string file, string what) => new($"{file} is not a sound PyTorch checkpoint: {what}.");
}
