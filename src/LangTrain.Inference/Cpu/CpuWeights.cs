using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LangTrain.Modeling;
using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Inference.Cpu;

/// <summary>A decoder's weights as the kernels read them: libtorch's own memory, no copy. Valid as long as the model is.</summary>
internal sealed unsafe class CpuWeights
{
    /// <summary>Takes up a model that <see cref="Supports"/> allows.</summary>
    public CpuWeights(DecoderModel model)
    {
        var config = model.Config;
        var parameters = model.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        float* Of(string name) => Pointer(parameters[name]);
        float* OrNull(string name) => parameters.ContainsKey(name) ? Of(name) : null;
        var names = new List<string>();
        Linear LinearOf(string name, int inputs, int outputs)
        {
            names.Add(name);
            return new Linear(Of(name + ".weight"), OrNull(name + ".bias"), inputs, outputs, names.Count - 1);
        }
        int queries = config.QueryHeads * config.HeadSize, keys = config.KeyValueHeads * config.HeadSize;
        Embedding = Of("model.embed_tokens.weight");
        Output = config.TieEmbeddings ? Embedding : Of("lm_head.weight");
        Norm = Of("model.norm.weight");
        Layers = [.. Enumerable.Range(0, config.LayerCount).Select(i =>
        {
            var name = $"model.layers.{i}";
            return new Layer
            {
                AttentionNorm = Of($"{name}.input_layernorm.weight"),
                FeedForwardNorm = Of($"{name}.post_attention_layernorm.weight"),
                QueryNorm = OrNull($"{name}.self_attn.q_norm.weight"),
                KeyNorm = OrNull($"{name}.self_attn.k_norm.weight"),
                Query = LinearOf($"{name}.self_attn.q_proj", config.HiddenSize, queries),
                Key = LinearOf($"{name}.self_attn.k_proj", config.HiddenSize, keys),
                Value = LinearOf($"{name}.self_attn.v_proj", config.HiddenSize, keys),
                AttentionOutput = LinearOf($"{name}.self_attn.o_proj", queries, config.HiddenSize),
                Gate = LinearOf($"{name}.mlp.gate_proj", config.HiddenSize, config.FeedForwardSize),
                Up = LinearOf($"{name}.mlp.up_proj", config.HiddenSize, config.FeedForwardSize),
                Down = LinearOf($"{name}.mlp.down_proj", config.FeedForwardSize, config.HiddenSize),
            };
        })];
        LinearNames = names;
    }

    public float* Embedding { get; }

    public float* Output { get; }

    public float* Norm { get; }

    public IReadOnlyList<Layer> Layers { get; }

    /// <summary>The checkpoint's names of all linear layers, in the order of <see cref="Linear.Index"/>.</summary>
    public IReadOnlyList<string> LinearNames { get; }

    /// <summary>True for what the kernels compute: float32 on the CPU, dense, in Llama's arithmetic (Llama, Mistral, Qwen 2 and 3).</summary>
    public static bool Supports(DecoderModel model) =>
        model.Device.type == DeviceType.CPU && model.Dtype == ScalarType.Float32 && model.Quantization == Quantization.None
        && model.Config is
        {
            Rope: { Scaling: not RopeScaling.LongRope }, LocalRope: null, SlidingWindow: null, AttentionSoftCap: null, LogitSoftCap: null, EmbeddingScale: 1,
            NormAddsOne: false, SandwichNorms: false, FusedProjections: false, FeedForwardBias: false, Activation: Activation.Silu,
        }
        && model.Linears.ContainsKey("model.layers.0.mlp.gate_proj")
        && model.named_parameters().All(p => p.parameter.is_contiguous());

    /// <summary>Where libtorch keeps a contiguous tensor on the CPU; it does not move.</summary>
    public static float* Pointer(Tensor tensor) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));

    /// <summary>One linear layer.</summary>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="bias">[outputs], or null.</param>
    /// <param name="inputs">Width of the input.</param>
    /// <param name="outputs">Width of the output.</param>
    /// <param name="index">Its number in the model, by which adapters find it.</param>
    internal sealed class Linear(float* weight, float* bias, int inputs, int outputs, int index)
    {
        public float* Weight { get; } = weight;

        public float* Bias { get; } = bias;

        public int Inputs { get; } = inputs;

        public int Outputs { get; } = outputs;

        public int Index { get; } = index;
    }

    /// <summary>One block.</summary>
    internal sealed class Layer
    {
        public required float* AttentionNorm { get; init; }

        public required float* FeedForwardNorm { get; init; }

        public required float* QueryNorm { get; init; }

        public required float* KeyNorm { get; init; }

        public required Linear Query { get; init; }

        public required Linear Key { get; init; }

        public required Linear Value { get; init; }

        public required Linear AttentionOutput { get; init; }

        public required Linear Gate { get; init; }

        public required Linear Up { get; init; }

        public required Linear Down { get; init; }
    }
}
