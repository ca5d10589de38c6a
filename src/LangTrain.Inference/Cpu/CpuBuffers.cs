using System.Runtime.InteropServices;
using LangTrain.Modeling;

namespace LangTrain.Inference.Cpu;

/// <summary>What lies between the layers of a pass, allocated once; T is the tokens of a pass.</summary>
internal sealed unsafe class CpuBuffers : IDisposable
{
    /// <summary>Rows of logits that are made at a time.</summary>
    public const int LogitRows = 32;

    /// <summary>Tokens of a sequence that attend together.</summary>
    public const int AttentionTokens = 6;

    private readonly List<nint> _allocated = [];
    private readonly float* _scores, _codeScales;
    private readonly short* _codes;
    private readonly int _sequenceTokens;

    public CpuBuffers(ModelConfig config, int tokens, int sequenceTokens, int workers, bool narrow)
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
        if (narrow)
        {
            var groups = CpuInt8Product.Groups(Math.Max(Math.Max(config.HiddenSize, config.FeedForwardSize), queries));
            _codes = (short*)Allocate(tokens, groups * Int8Weight.GroupSize / 2);
            _codeScales = Allocate(tokens, groups);
        }
        Logits = Allocate(LogitRows, config.VocabularySize);
        _scores = Allocate(workers * AttentionTokens, sequenceTokens);
        _sequenceTokens = sequenceTokens;

        Angles = config.Rope is { } rope ? Table(rope, config.HeadSize) : null;
        LocalAngles = config.LocalRope is { } local ? Table(local, config.HeadSize) : Angles;
    }

    /// <summary>Rotary angles of layers that attend to everything; null where positions are learned.</summary>
    public RotaryTable? Angles { get; }

    /// <summary>Those of layers that attend to the window.</summary>
    public RotaryTable? LocalAngles { get; }

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

    /// <summary>Some of these vectors as what weights are multiplied with; there is room for the integers of one of them at a time.</summary>
    public CpuVectors Vectors(float* values) => new(values, _codes, _codeScales);

    /// <summary>One worker's attention scores, [<see cref="AttentionTokens"/>, tokens of a sequence].</summary>
    public float* Scores(int worker) => _scores + (long)worker * AttentionTokens * _sequenceTokens;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var pointer in _allocated)
            NativeMemory.AlignedFree((void*)pointer);
        _allocated.Clear();
    }

    // As libtorch's path has them: frequency and angle in float32.
    private RotaryTable Table(RopeSettings rope, int headSize)
    {
        var frequencies = RotaryEmbedding.Frequencies(rope, headSize);
        var half = frequencies.Length;
        float* cos = Allocate(_sequenceTokens, half), sin = Allocate(_sequenceTokens, half);
        for (var position = 0; position < _sequenceTokens; position++)
        {
            for (var i = 0; i < half; i++)
            {
                var angle = position * (float)frequencies[i];
                cos[(long)position * half + i] = MathF.Cos(angle) * (float)rope.AttentionFactor;
                sin[(long)position * half + i] = MathF.Sin(angle) * (float)rope.AttentionFactor;
            }
        }
        return new RotaryTable(cos, sin, half);
    }

    private float* Allocate(int rows, int width)
    {
        var pointer = NativeMemory.AlignedAlloc((nuint)((long)rows * width * sizeof(float)), 64);
        _allocated.Add((nint)pointer);
        return (float*)pointer;
    }

    /// <summary>Cosines and sines of all positions, [positions, half] each.</summary>
    /// <param name="cos">Cosines.</param>
    /// <param name="sin">Sines.</param>
    /// <param name="half">Half the dimensions of a head that are turned.</param>
    internal sealed class RotaryTable(float* cos, float* sin, int half)
    {
        /// <summary>Turns a head by its position.</summary>
        public void Rotate(float* head, int position) => CpuKernels.Rotate(head, cos + (long)position * half, sin + (long)position * half, half);
    }
}
