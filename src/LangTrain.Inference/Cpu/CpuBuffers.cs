using System.Runtime.InteropServices;
using LangTrain.Modeling;

namespace LangTrain.Inference.Cpu;

/// <summary>What lies between the layers of a pass, allocated once; T is the tokens of a pass.</summary>
internal sealed unsafe class CpuBuffers : IDisposable
{
    /// <summary>Rows of logits that are made at a time.</summary>
    public const int LogitRows = 16;

    private readonly List<nint> _allocated = [];
    private readonly float* _cos;
    private readonly float* _sin;
    private readonly float* _scores;
    private readonly int _sequenceTokens;

    public CpuBuffers(ModelConfig config, int tokens, int sequenceTokens, int workers)
    {
        int queries = config.QueryHeads * config.HeadSize, keys = config.KeyValueHeads * config.HeadSize;
        Residual = Allocate(tokens, config.HiddenSize);
        Normed = Allocate(tokens, config.HiddenSize);
        Query = Allocate(tokens, queries);
        Key = Allocate(tokens, keys);
        Value = Allocate(tokens, keys);
        Attended = Allocate(tokens, queries);
        Gate = Allocate(tokens, config.FeedForwardSize);
        Up = Allocate(tokens, config.FeedForwardSize);
        Logits = Allocate(LogitRows, config.VocabularySize);
        _scores = Allocate(workers, sequenceTokens);
        _sequenceTokens = sequenceTokens;

        // As libtorch's path has them: frequency and angle in float32.
        var rope = config.Rope!;
        var frequencies = RotaryEmbedding.Frequencies(rope, config.HeadSize);
        HalfRotated = frequencies.Length;
        _cos = Allocate(sequenceTokens, HalfRotated);
        _sin = Allocate(sequenceTokens, HalfRotated);
        for (var position = 0; position < sequenceTokens; position++)
        {
            for (var i = 0; i < HalfRotated; i++)
            {
                var angle = position * (float)frequencies[i];
                _cos[(long)position * HalfRotated + i] = MathF.Cos(angle) * (float)rope.AttentionFactor;
                _sin[(long)position * HalfRotated + i] = MathF.Sin(angle) * (float)rope.AttentionFactor;
            }
        }
    }

    /// <summary>[T, C].</summary>
    public float* Residual { get; }

    /// <summary>[T, C].</summary>
    public float* Normed { get; }

    /// <summary>[T, H·D].</summary>
    public float* Query { get; }

    /// <summary>[T, K·D].</summary>
    public float* Key { get; }

    /// <summary>[T, K·D].</summary>
    public float* Value { get; }

    /// <summary>[T, H·D].</summary>
    public float* Attended { get; }

    /// <summary>[T, F].</summary>
    public float* Gate { get; }

    /// <summary>[T, F].</summary>
    public float* Up { get; }

    /// <summary>[<see cref="LogitRows"/>, V].</summary>
    public float* Logits { get; }

    /// <summary>Half the dimensions of a head that are turned.</summary>
    public int HalfRotated { get; }

    /// <summary>Cosines of a position; sines are <see cref="Sines"/>.</summary>
    public float* Cosines(int position) => _cos + (long)position * HalfRotated;

    /// <summary>Sines of a position.</summary>
    public float* Sines(int position) => _sin + (long)position * HalfRotated;

    /// <summary>One worker's attention scores, as many as a sequence has tokens.</summary>
    public float* Scores(int worker) => _scores + (long)worker * _sequenceTokens;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var pointer in _allocated)
            NativeMemory.AlignedFree((void*)pointer);
        _allocated.Clear();
    }

    private float* Allocate(int rows, int width)
    {
        var pointer = NativeMemory.AlignedAlloc((nuint)((long)rows * width * sizeof(float)), 64);
        _allocated.Add((nint)pointer);
        return (float*)pointer;
    }
}
