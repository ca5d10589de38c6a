using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Tensors that outlive the scope they were made in, until the backward pass is done with them.</summary>
internal sealed class KeptTensors : IDisposable
{
    private readonly List<Tensor> _tensors = [];

    /// <returns>The same tensor, now owned by this.</returns>
    public Tensor Keep(Tensor tensor)
    {
        _tensors.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }

    public void Dispose()
    {
        _tensors.ForEach(tensor => tensor.Dispose());
        _tensors.Clear();
    }
}
