using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LangTrain.Training.Optimization;

/// <summary>ATen's fused AdamW update, one pass over memory instead of eight, through libtorch's stable C interface.</summary>
/// <remarks>
/// TorchSharp has no binding for <c>aten::_fused_adamw_</c>. The dispatcher takes its arguments as 64-bit cells and consumes the
/// handles in them, so every tensor is passed as a fresh handle. The interface's version is libtorch 2.10's, whose TorchSharp is pinned.
/// </remarks>
internal static class FusedAdamW
{
    private const string Library = "torch_cpu";
    private const ulong InterfaceVersion = (2UL << 56) | (10UL << 48);

    /// <summary>Updates parameters and moments in place.</summary>
    /// <param name="parameters">Parameters, gradients and moments: lists of equal length, equal shapes at equal places.</param>
    /// <param name="gradients">See <paramref name="parameters"/>.</param>
    /// <param name="firstMoments">See <paramref name="parameters"/>.</param>
    /// <param name="secondMoments">See <paramref name="parameters"/>.</param>
    /// <param name="update">How many updates this makes, counted from 1; scalar, fp32, on the parameters' device.</param>
    /// <param name="learningRate">This update's learning rate.</param>
    /// <param name="weightDecay">Decoupled weight decay.</param>
    /// <param name="options">The other constants.</param>
    /// <exception cref="InvalidOperationException">libtorch refuses the call.</exception>
    public static void Step(
        IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor> gradients, IReadOnlyList<Tensor> firstMoments, IReadOnlyList<Tensor> secondMoments,
        Tensor update, double learningRate, double weightDecay, AdamWOptions options)
    {
        // self, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, state_steps, lr, beta1, beta2, weight_decay, eps, amsgrad, maximize, grad_scale, found_inf
        ulong[] stack =
        [
            List(parameters), List(gradients), List(firstMoments), List(secondMoments), List([]), List([.. parameters.Select(_ => update)]),
            Number(learningRate), Number(options.Beta1), Number(options.Beta2), Number(weightDecay), Number(options.Epsilon), 0, 0, 0, 0,
        ];
        Check(CallDispatcher("aten::_fused_adamw_", "", stack, InterfaceVersion));
    }

    private static ulong Number(double value) => BitConverter.DoubleToUInt64Bits(value);

    private static ulong List(IReadOnlyList<Tensor> tensors)
    {
        Check(NewList((nuint)tensors.Count, out var list));
        foreach (var tensor in tensors)
        {
            Check(NewTensorHandle(tensor.Handle, out var handle));
            Check(PushBack(list, (ulong)handle));
        }

        return (ulong)list;
    }

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new InvalidOperationException("libtorch refused a fused AdamW update; its own words are on standard error.");
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
}
