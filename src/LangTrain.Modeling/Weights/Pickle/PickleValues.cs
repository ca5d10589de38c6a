using static TorchSharp.torch;

namespace LangTrain.Modeling.Weights.Pickle;

/// <summary>A name that a pickle refers to, <c>module.name</c>; it stands for itself and is never looked up.</summary>
internal sealed record PickleGlobal(string Name);

/// <summary>A dictionary; only entries with text as key are kept, because no other can name a tensor.</summary>
internal sealed class PickleDictionary
{
    public Dictionary<string, object?> Items { get; } = [];
}

/// <summary>A list or a tuple.</summary>
internal sealed class PickleList(IEnumerable<object?> items)
{
    public List<object?> Items { get; } = [.. items];
}

/// <summary>Raw elements that tensors look into.</summary>
/// <param name="Key">Names them in the file.</param>
/// <param name="Dtype">Element type.</param>
/// <param name="Count">Number of elements.</param>
internal sealed record PickleStorage(string Key, ScalarType Dtype, long Count);

/// <summary>A tensor as a view of a storage; checked to lie within it and to be no larger.</summary>
/// <param name="Storage">The elements.</param>
/// <param name="Offset">First element.</param>
/// <param name="Shape">Dimensions.</param>
/// <param name="Strides">Elements from one index to the next, for each dimension.</param>
internal sealed record PickleTensor(PickleStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    public long Count => Shape.Aggregate(1L, (product, dimension) => product * dimension);

    /// <summary>Elements from the first to the last that the view touches.</summary>
    public long Span => Count == 0 ? 0 : 1 + Shape.Zip(Strides, (size, stride) => (size - 1) * stride).Sum();
}
