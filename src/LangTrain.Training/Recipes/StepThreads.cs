using static TorchSharp.torch;

namespace LangTrain.Training.Recipes;

/// <summary>
/// Steps of this thread on one core where they are so small that threads would wait for each other longer than they work: a hundred times longer on a
/// machine that has other work, where each of them waits for its turn at every operator. Dispose it on the same thread.
/// </summary>
internal sealed class StepThreads : IDisposable
{
    // Parameters times tokens of a micro-batch. At 4e8 one thread was measured to be 1.4 times as fast as two, at 4e9 two are 1.5 times as fast as one.
    private const double WorthSharing = 1e9;

    private readonly int _before;

    /// <param name="parameters">Of the model, learning or not.</param>
    /// <param name="tokens">Of a micro-batch.</param>
    /// <param name="device">Where the model is.</param>
    public StepThreads(long parameters, double tokens, Device device)
    {
        _before = get_num_threads();
        if (device.type == TorchSharp.DeviceType.CPU && _before > 1 && parameters * tokens < WorthSharing)
        {
            set_num_threads(1);
            // That was this thread's own number, and the one with which new threads begin: theirs is put back by a thread that is nobody's.
            var restore = new Thread(() => set_num_threads(_before));
            restore.Start();
            restore.Join();
        }
    }

    public void Dispose() => set_num_threads(_before);
}
