using LangTrain.Modeling;
using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Inference.Cpu;

/// <summary>A decoder's weights as the kernels read them: matrices in libtorch's own memory, no copy; norms as float32. Valid as long as the model is.</summary>
internal sealed unsafe class CpuWeights
{
    private readonly List<float[]> _pinned = [];
    private readonly List<string> _names = [];
    private readonly Dictionary<string, Tensor> _parameters;
    private readonly DecoderModel _model;

    /// <summary>Takes up a model that <see cref="Supports"/> allows.</summary>
    public CpuWeights(DecoderModel model)
    {
        _model = model;
        _parameters = model.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter);
        var tables = model.Tables.ToDictionary(t => t.ModuleName, t => t.Quantized is { } quantized ? CpuMatrix.Of(quantized) : CpuMatrix.Of(t.Weight));
        var gpt = model.Config.ModelType == "gpt2";
        Embedding = tables[gpt ? "transformer.wte" : "model.embed_tokens"];
        Positions = gpt ? tables["transformer.wpe"] : null;
        Output = tables.TryGetValue("lm_head", out var head) ? head : Embedding;
        LastNorm = NormOf(gpt ? "transformer.ln_f" : "model.norm", (float)model.Config.OutputScale);
        Layers = [.. Enumerable.Range(0, model.Config.LayerCount).Select(i => gpt ? Gpt2Layer($"transformer.h.{i}") : LlamaLayer($"model.layers.{i}", i))];
    }

    /// <summary>[V, C].</summary>
    public CpuMatrix Embedding { get; }

    /// <summary>[positions, C] where positions are learned.</summary>
    public CpuMatrix? Positions { get; }

    /// <summary>[V, C].</summary>
    public CpuMatrix Output { get; }

    public Norm LastNorm { get; }

    public IReadOnlyList<Layer> Layers { get; }

    /// <summary>The checkpoint's names of all linear layers, in the order of <see cref="Linear.Module"/>.</summary>
    public IReadOnlyList<string> LinearNames => _names;

    /// <summary>
    /// True for what the kernels compute: all families on the CPU in float32, bfloat16 or 8-bit integers.
    /// Left to libtorch are Phi's long contexts, whose angles depend on the length of the whole sequence, gelu by the error function, tanh, and NF4.
    /// </summary>
    public static bool Supports(DecoderModel model) =>
        model.Device.type == DeviceType.CPU && model.Dtype is ScalarType.Float32 or ScalarType.BFloat16 && model.Quantization != Quantization.NF4
        && model.Config is { Rope: not { Scaling: RopeScaling.LongRope }, LocalRope: not { Scaling: RopeScaling.LongRope }, Activation: Activation.Silu or Activation.GeluTanh or Activation.Relu }
        && model.named_parameters().All(p => p.parameter.is_contiguous());

    private Layer LlamaLayer(string name, int index)
    {
        var config = _model.Config;
        bool before = config.Norms != NormPlacement.After, after = config.Norms != NormPlacement.Before;
        int queries = config.QueryHeads * config.HeadSize, keys = config.KeyValueHeads * config.HeadSize;
        Linear[] attention = config.FusedProjections
            ? Split($"{name}.self_attn.qkv_proj", queries, keys, keys)
            : [.. "qkv".Select(part => LinearOf($"{name}.self_attn.{part}_proj"))];
        Linear[] gated = config.FusedProjections
            ? Split($"{name}.mlp.gate_up_proj", config.FeedForwardSize, config.FeedForwardSize)
            : [LinearOf($"{name}.mlp.gate_proj"), LinearOf($"{name}.mlp.up_proj")];
        return new Layer
        {
            IsSliding = config.IsSliding(index),
            IsRotary = config.IsRotary(index),
            AttentionNorm = before ? NormOf($"{name}.input_layernorm") : null,
            AfterAttention = after ? NormOf($"{name}.post_attention_layernorm") : null,
            FeedForwardNorm = !before ? null : NormOf(after ? $"{name}.pre_feedforward_layernorm" : $"{name}.post_attention_layernorm"),
            AfterFeedForward = after ? NormOf($"{name}.post_feedforward_layernorm") : null,
            QueryNorm = config.QueryKeyNorm ? NormOf($"{name}.self_attn.q_norm") : null,
            KeyNorm = config.QueryKeyNorm ? NormOf($"{name}.self_attn.k_norm") : null,
            Query = attention[0],
            Key = attention[1],
            Value = attention[2],
            AttentionOutput = LinearOf($"{name}.self_attn.o_proj"),
            Gate = gated[0],
            Up = gated[1],
            Down = LinearOf($"{name}.mlp.down_proj"),
        };
    }

    private Layer Gpt2Layer(string name)
    {
        var width = _model.Config.HiddenSize;
        var attention = Split($"{name}.attn.c_attn", width, width, width);
        return new Layer
        {
            AttentionNorm = NormOf($"{name}.ln_1"),
            FeedForwardNorm = NormOf($"{name}.ln_2"),
            Query = attention[0],
            Key = attention[1],
            Value = attention[2],
            AttentionOutput = LinearOf($"{name}.attn.c_proj"),
            Gate = LinearOf($"{name}.mlp.c_fc"),
            Down = LinearOf($"{name}.mlp.c_proj"),
        };
    }

    private Linear LinearOf(string name) => Split(name, _model.Linears[name].OutputSize)[0];

    // One linear layer as several, by rows of its weight.
    private Linear[] Split(string name, params ReadOnlySpan<int> outputs)
    {
        _names.Add(name);
        var linear = _model.Linears[name];
        var whole = linear.Quantized is null ? _parameters[name + ".weight"] : null;
        var weight = linear.Quantized is Int8Weight quantized ? CpuMatrix.Of(quantized) : CpuMatrix.Of(whole!);
        var bias = _parameters.TryGetValue(name + ".bias", out var tensor) ? Floats(tensor, 0) : null;
        var parts = new Linear[outputs.Length];
        for (int i = 0, first = 0; i < parts.Length; first += outputs[i++])
            parts[i] = new Linear(weight.Slice(first, outputs[i]), whole, bias == null ? null : bias + first, _names.Count - 1, first);
        return parts;
    }

    private Norm NormOf(string name, float scale = 1) => new(
        (int)_parameters[name + ".weight"].numel(),
        Floats(_parameters[name + ".weight"], _model.Config.NormAddsOne ? 1f : 0f, scale),
        _parameters.TryGetValue(name + ".bias", out var bias) ? Floats(bias, 0) : null);

    // A vector's copy in float32 that stays in its place.
    private float* Floats(Tensor vector, float addend, float scale = 1)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var copy = GC.AllocateUninitializedArray<float>((int)vector.numel(), pinned: true);
        vector.to(ScalarType.Float32).Plus(addend).mul(Scalars.Of(scale)).data<float>().CopyTo(copy);
        _pinned.Add(copy);
        return (float*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(copy, 0);
    }

    /// <summary>RMS norm, or layer norm where it has a bias.</summary>
    internal sealed class Norm(int size, float* weight, float* bias)
    {
        /// <summary>How wide it is.</summary>
        public int Size => size;

        /// <summary>y = norm(x).</summary>
        public void Apply(float* x, float* y, float epsilon)
        {
            if (bias == null)
                CpuKernels.RmsNorm(x, weight, y, size, epsilon);
            else
                CpuKernels.LayerNorm(x, weight, bias, y, size, epsilon);
        }
    }

    /// <summary>One linear layer, or some outputs of one.</summary>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="whole">The layer's weight as libtorch has it; null where it is quantized.</param>
    /// <param name="bias">[outputs], or null.</param>
    /// <param name="module">The layer's number in the model, by which adapters find it.</param>
    /// <param name="firstOutput">Outputs of the layer before these.</param>
    internal sealed class Linear(CpuMatrix weight, Tensor? whole, float* bias, int module, int firstOutput)
    {
        public CpuMatrix Weight { get; } = weight;

        public Tensor? Whole { get; } = whole;

        public float* Bias { get; } = bias;

        public int Module { get; } = module;

        public int FirstOutput { get; } = firstOutput;

        public int Outputs => Weight.Rows;
    }

    /// <summary>One block.</summary>
    internal sealed class Layer
    {
        /// <summary>Attends to the window only.</summary>
        public bool IsSliding { get; init; }

        /// <summary>Turns queries and keys by position, where the model does at all.</summary>
        public bool IsRotary { get; init; } = true;

        /// <summary>Norm of what attention is given; OLMo has none.</summary>
        public required Norm? AttentionNorm { get; init; }

        /// <summary>Norm of what attention gives (Gemma, OLMo).</summary>
        public Norm? AfterAttention { get; init; }

        /// <summary>Norm of what the feed-forward part is given; OLMo has none.</summary>
        public required Norm? FeedForwardNorm { get; init; }

        /// <summary>Norm of what the feed-forward part gives (Gemma, OLMo).</summary>
        public Norm? AfterFeedForward { get; init; }

        /// <summary>Norm of each query head (Qwen3, Gemma 3), or of all together (OLMo).</summary>
        public Norm? QueryNorm { get; init; }

        public Norm? KeyNorm { get; init; }

        public required Linear Query { get; init; }

        public required Linear Key { get; init; }

        public required Linear Value { get; init; }

        public required Linear AttentionOutput { get; init; }

        /// <summary>What goes through the activation.</summary>
        public required Linear Gate { get; init; }

        /// <summary>Its factor; GPT-2 has none.</summary>
        public Linear? Up { get; init; }

        public required Linear Down { get; init; }
    }
}
