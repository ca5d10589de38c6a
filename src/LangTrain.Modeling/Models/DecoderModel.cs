using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// A decoder-only language model: token ids in, hidden states and logits out. The base of training and of generation; it holds no adapter, a pass
/// is told which adapter each row uses.
/// </summary>
/// <remarks>
/// Passes do not change the model, so that several threads may run passes on one model, unless its weights are being trained. Weights are frozen until
/// <see cref="SetTrainable"/>. Dispose it to free the weights.
/// </remarks>
public abstract class DecoderModel : nn.Module
{
    private Dictionary<string, LinearLayer>? _linears;

    private protected DecoderModel(ModelConfig config, ModelLoadOptions options)
        : base(nameof(DecoderModel))
    {
        Config = config;
        Options = options;
    }

    /// <summary>The architecture.</summary>
    public ModelConfig Config { get; }

    /// <summary>Type of weights and activations.</summary>
    public ScalarType Dtype => Options.Dtype;

    /// <summary>Where the weights are and passes run.</summary>
    public Device Device => Options.Device;

    /// <summary>How the weights are kept.</summary>
    public Quantization Quantization => Options.Quantization;

    /// <summary>The blocks' linear layers by their name in the checkpoint, in the order of the model: what adapters can target.</summary>
    public IReadOnlyDictionary<string, LinearLayer> Linears => _linears ??= modules().OfType<LinearLayer>().ToDictionary(linear => linear.ModuleName);

    /// <summary>Number of weights, quantized or not.</summary>
    public long ParameterCount => parameters().Sum(parameter => parameter.numel()) + QuantizedWeights.Sum(weight => weight.Shape[0] * weight.Shape[1]);

    /// <summary>Bytes that the weights take in memory.</summary>
    public long WeightBytes => parameters().Sum(parameter => parameter.numel() * parameter.element_size()) + QuantizedWeights.Sum(weight => weight.ByteCount);

    internal ModelLoadOptions Options { get; }

    /// <summary>Tables that are kept as integers where the linear layers are.</summary>
    internal IEnumerable<EmbeddingLayer> Tables => modules().OfType<EmbeddingLayer>();

    private IEnumerable<QuantizedWeight> QuantizedWeights =>
        Linears.Values.Select(linear => linear.Quantized).Concat(Tables.Select(table => table.Quantized)).OfType<QuantizedWeight>();

    /// <summary>
    /// [V, C], the matrix behind <see cref="Logits"/>: the embedding where tied. For losses that never make the full logits. Of a model in 8-bit integers
    /// a dequantized copy, owned by the caller's scope.
    /// </summary>
    public abstract Tensor OutputWeight { get; }

    /// <summary>Loads a model folder in Hugging Face layout: config.json and safetensors, single or sharded. Peak memory is the target weights plus one tensor.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="options">Type, device, quantization; null is Float32 on the CPU.</param>
    /// <exception cref="FileNotFoundException">config.json or weights are absent.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, a weight is missing, unknown, or of the wrong shape.</exception>
    /// <exception cref="UnsupportedModelException">The architecture, or a key of config.json, is not honoured; names it.</exception>
    public static DecoderModel Load(string folder, ModelLoadOptions? options = null)
    {
        TorchSetup.Initialize();
        ModelConfig config = ModelConfig.Read(folder);
        using CheckpointFolder checkpoint = CheckpointFolder.Open(folder);
        using (DecoderModel shapes = Build(config, new ModelLoadOptions { Device = META }))
        {
            // Before anything is allocated: config.json may claim any size, and memory that libtorch does not get ends the process.
            CheckpointLoader.Check(shapes, checkpoint);
        }

        DecoderModel model = Build(config, options ?? new());
        try
        {
            CheckpointLoader.Load(model, checkpoint);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Makes a model with random weights, for pre-training and for measuring; on the meta device, names and shapes only.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="seed">The same seed gives the same weights on one device.</param>
    /// <param name="options">Type, device, and quantization to NF4.</param>
    /// <exception cref="ArgumentException">Another quantization was asked for.</exception>
    public static DecoderModel Create(ModelConfig config, long seed = 0, ModelLoadOptions? options = null)
    {
        options ??= new();
        if (options.Quantization is not (Quantization.None or Quantization.NF4))
        {
            throw new ArgumentException($"A new model cannot be quantized to {options.Quantization}: save it and load it with quantization.", nameof(options));
        }

        TorchSetup.Initialize();
        DecoderModel model = Build(config, options);
        if (options.Device.type != DeviceType.META)
        {
            model.Initialize(seed);
        }

        return model;
    }

    /// <summary>Saves config.json, generation_config.json and model.safetensors (sharded above 5 GB) in Hugging Face layout. Tokenizer files are the caller's to copy.</summary>
    /// <param name="folder">Made where absent.</param>
    /// <param name="dtype">Type to store; null is the model's.</param>
    /// <exception cref="InvalidOperationException">The model is quantized: its weights are not the original ones any more.</exception>
    public void Save(string folder, ScalarType? dtype = null) => CheckpointSaver.Save(this, folder, dtype);

    /// <summary>Saves the model with an adapter merged into its weights: a folder that needs no adapter any more. The model itself does not change.</summary>
    /// <param name="folder">Made where absent.</param>
    /// <param name="adapter">The adapter to merge.</param>
    /// <param name="dtype">Type to store; null is the model's.</param>
    /// <exception cref="InvalidOperationException">The model is quantized; load the base unquantized to merge.</exception>
    public void SaveMerged(string folder, LoraAdapter adapter, ScalarType? dtype = null) => CheckpointSaver.Save(this, folder, dtype, adapter);

    /// <summary>Runs the blocks.</summary>
    /// <param name="ids">[B, T] int64, on the model's device.</param>
    /// <param name="pass">Positions, packing, cache, adapters, dropout.</param>
    /// <returns>[B, T, C], compute dtype, after the last norm; fresh, owned by the caller's scope. Gradients flow through it unless a cache was given.</returns>
    /// <exception cref="ArgumentException">The pass does not fit the ids, the cache or the context length.</exception>
    public Tensor Hidden(Tensor ids, ForwardPass pass)
    {
        ArgumentNullException.ThrowIfNull(pass);
        using var scope = NewDisposeScope();
        using IDisposable? frozen = pass.Cache is null ? null : no_grad();
        if (pass.Cache?.Tokens is { } tokens && !pass.IsRunAgain && ids.dim() == 2)
        {
            CachePlan plan = CachePlan.Create(pass, (int)ids.shape[0], (int)ids.shape[1], Device);
            tokens.Prepare(this, ids, pass, plan.Rows, plan.Counts);
        }

        PassContext context = PassContext.Create(Config, ids, pass, Dtype);
        Tensor hidden = Run(ids, context);
        if (context.Cache is { } written)
        {
            written.Cache.Advance(written);
        }

        return hidden.MoveToOuterDisposeScope();
    }

    /// <summary>Runs the blocks so that a gradient can follow.</summary>
    /// <param name="ids">[B, T] int64, on the model's device.</param>
    /// <param name="pass">Positions, packing, adapters, dropout; no cache.</param>
    /// <param name="dtype">What products are computed in; null is the model's own. Where a pass is recorded by autograd it is always the model's.</param>
    /// <returns>The pass; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The pass does not fit the ids or the context length.</exception>
    internal virtual TrackedPass Track(Tensor ids, ForwardPass pass, ScalarType? dtype = null) => new AutogradPass(Hidden(ids, pass));

    /// <summary>Projects hidden states to scores over the vocabulary.</summary>
    /// <param name="hidden">[…, C] from <see cref="Hidden"/>; a slice of it where not all positions matter.</param>
    /// <returns>[…, V], compute dtype; fresh, owned by the caller's scope.</returns>
    public Tensor Logits(Tensor hidden)
    {
        Tensor logits = WeightProduct.Linear(hidden, OutputWeight, bias: null);
        if (Config.LogitSoftCap is not { } cap)
        {
            return logits;
        }

        using (logits)
        {
            using var scope = NewDisposeScope();
            return logits.div(Scalars.Of(cap)).tanh().mul(Scalars.Of(cap)).MoveToOuterDisposeScope();
        }
    }

    /// <summary>Turns gradients of all dense weights on (full fine-tuning, pre-training) or off.</summary>
    /// <param name="trainable">Whether the weights are to be trained.</param>
    public void SetTrainable(bool trainable)
    {
        foreach (Parameter parameter in parameters())
        {
            parameter.requires_grad = trainable;
        }
    }

    private protected abstract Tensor Run(Tensor ids, PassContext pass);

    /// <summary>Names of a checkpoint that are rightly not loaded.</summary>
    private protected abstract bool IsDropped(string name);

    internal bool Drops(string name) => IsDropped(name);

    /// <summary>Belongs to the part of the folder's model that looks at images, which takes no part in a text.</summary>
    internal virtual bool IsOfVision(string name) => false;

    /// <summary>Names under which checkpoints in the wild keep a weight, the usual one first.</summary>
    internal virtual IEnumerable<string> StoredNames(string name) => [name];

    /// <summary>The checkpoint keeps this weight as [in, out].</summary>
    internal virtual bool IsStoredTransposed(string name) => false;

    private static DecoderModel Build(ModelConfig config, ModelLoadOptions options) => config.ModelType == "gpt2" ? new Gpt2Model(config, options) : new LlamaModel(config, options);

    private void Initialize(long seed)
    {
        using var frozen = no_grad();
        using var generator = new Generator((ulong)seed, Device);
        foreach (nn.Module module in modules())
        {
            foreach ((string name, Parameter parameter) in module.named_parameters(recurse: false))
            {
                _ = module is RmsNorm norm ? parameter.fill_(Scalars.Of(norm.InitialValue))
                    : module is LayerNormLayer && name == "weight" ? parameter.fill_(Scalars.Of(1))
                    : name == "bias" ? parameter.zero_()
                    : parameter.normal_(0, Config.InitializerRange, generator);
            }

            if (module is LinearLayer { IsQuantized: true } linear)
            {
                using var scope = NewDisposeScope();
                linear.SetQuantized(Nf4.Quantize(empty(linear.OutputSize, linear.InputSize, device: Device).normal_(0, Config.InitializerRange, generator), Dtype));
            }
        }
    }
}
