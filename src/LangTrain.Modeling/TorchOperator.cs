using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Calls ATen operators that TorchSharp has no binding for, through libtorch's stable C interface.</summary>
/// <remarks>
/// The dispatcher takes its arguments as 64-bit cells, puts its results into the same cells, and consumes the handles that it is given: so every tensor goes in
/// as a fresh handle. The interface's version is that of libtorch 2.10, whose TorchSharp is pinned. Thread-safe.
/// </remarks>
internal static class TorchOperator
{
    private const string Library = "torch_cpu";
    private const ulong InterfaceVersion = (2UL << 56) | (10UL << 48);

    /// <summary>Runs an operator.</summary>
    /// <param name="name">With its namespace, such as <c>aten::silu_backward</c>.</param>
    /// <param name="overload">The overload's name, often empty.</param>
    /// <param name="arguments">Every argument of the operator's schema in its order, made by <see cref="Of(Tensor)"/> and its kin.</param>
    /// <exception cref="InvalidOperationException">libtorch refuses the call.</exception>
    public static void Run(string name, string overload, params ulong[] arguments) => Check(CallDispatcher(name, overload, arguments, InterfaceVersion), name);

    /// <summary>Runs an operator that returns one tensor.</summary>
    /// <inheritdoc cref="Run" path="/param"/>
    /// <returns>Fresh, owned by the caller's scope.</returns>
    /// <exception cref="InvalidOperationException">libtorch refuses the call.</exception>
    public static Tensor Result(string name, string overload, params ulong[] arguments)
    {
        Run(name, overload, arguments);
        return Tensor.UnsafeCreateTensor((nint)arguments[0]);
    }

    /// <summary>A tensor argument.</summary>
    public static ulong Of(Tensor tensor)
    {
        Check(NewTensorHandle(tensor.Handle, out nint handle), "a tensor argument");
        GC.KeepAlive(tensor);
        return (ulong)handle;
    }

    /// <summary>A list of tensors.</summary>
    public static ulong Of(IReadOnlyCollection<Tensor> tensors)
    {
        Check(NewList((nuint)tensors.Count, out nint list), "a list argument");
        foreach (Tensor tensor in tensors)
        {
            Check(PushBack(list, Of(tensor)), "a list argument");
        }

        return (ulong)list;
    }

    /// <summary>A float argument.</summary>
    public static ulong Of(double value) => BitConverter.DoubleToUInt64Bits(value);

    /// <summary>An optional integer that is given.</summary>
    public static unsafe ulong Given(long value)
    {
        // The callee frees the cell by C++'s delete, which is free() wherever libtorch runs.
        ulong* cell = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *cell = (ulong)value;
        return (ulong)cell;
    }

    /// <summary>A string argument.</summary>
    public static ulong Of(string value)
    {
        Check(NewString(value, (nuint)value.Length, out nint handle), "a string argument");
        return (ulong)handle;
    }

    /// <summary>False, or an optional argument that is left out.</summary>
    public const ulong None = 0;

    private static void Check(int error, string what)
    {
        if (error != 0)
        {
            throw new InvalidOperationException($"libtorch refused {what}; its own words are on standard error.");
        }
    }

    [DllImport(Library, EntryPoint = "torch_call_dispatcher")]
    private static extern int CallDispatcher(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string overload, [In, Out] ulong[] stack, ulong version);

    [DllImport(Library, EntryPoint = "aoti_torch_new_tensor_handle")]
    private static extern int NewTensorHandle(nint tensor, out nint handle);

    [DllImport(Library, EntryPoint = "torch_new_list_reserve_size")]
    private static extern int NewList(nuint size, out nint list);

    [DllImport(Library, EntryPoint = "torch_list_push_back")]
    private static extern int PushBack(nint list, ulong element);

    [DllImport(Library, EntryPoint = "torch_new_string_handle")]
    private static extern int NewString([MarshalAs(UnmanagedType.LPUTF8Str)] string text, nuint length, out nint handle);
}
