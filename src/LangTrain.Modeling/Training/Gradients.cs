using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Adds to the gradients of parameters, in the parameters' dtype whatever was computed in.</summary>
internal static class Gradients
{
    /// <summary>grad += value.</summary>
    public static void Add(Parameter parameter, Tensor value)
    {
        if (parameter.grad is { } grad)
        {
            grad.AddInPlace(value);
        }
        else
        {
            parameter.grad = value.to(parameter.dtype);
        }
    }

    /// <summary>grad += factor · left · right.</summary>
    public static void AddProduct(Parameter parameter, Tensor left, Tensor right, float factor = 1)
    {
        if (parameter.grad is { } grad && grad.dtype == left.dtype)
        {
            grad.addmm_(left, right, 1, factor);
            return;
        }

        Tensor product = left.matmul(right);
        Add(parameter, factor == 1 ? product : product.mul_(Scalars.Of(factor)));
    }
}
