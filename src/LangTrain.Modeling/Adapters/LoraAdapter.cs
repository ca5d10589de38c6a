using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// A LoRA or DoRA adapter: small trainable matrices beside some linear layers of a base model. Made for training by <see cref="Create"/>, loaded for
/// serving by <see cref="LoadPeft"/>; a forward pass is told of it by <see cref="AdapterSelection"/>.
/// </summary>
/// <remarks>
/// arXiv:2106.09685. Parameters are Float32 (Float64 over a Float64 base) and are named as in PEFT files. Passes of several threads may share an adapter
/// that is not being trained. Dispose it when no pass uses it any more.
/// </remarks>
public sealed class LoraAdapter : nn.Module
{
    private readonly Dictionary<string, LoraLayer> _layers = [];

    private LoraAdapter(LoraOptions options, bool isOfTextPart)
        : base(nameof(LoraAdapter)) => (Options, IsOfTextPart) = (options, isOfTextPart);

    /// <summary>The adapter's shape; target modules are those that it really has.</summary>
    public LoraOptions Options { get; private set; }

    /// <summary>See <see cref="ModelConfig.IsTextPart"/> of the model that it was made for.</summary>
    internal bool IsOfTextPart { get; }

    /// <summary>Factor on B·A of modules that no pattern names: alpha / R, or alpha / sqrt(R).</summary>
    public double Scaling => Options.Alpha / (Options.UseRslora ? Math.Sqrt(Options.Rank) : Options.Rank);

    /// <summary>Names of the adapted modules, in the order of the model.</summary>
    public IReadOnlyCollection<string> Modules => _layers.Keys;

    /// <summary>Number of weights.</summary>
    public long ParameterCount => parameters().Sum(parameter => parameter.numel());

    /// <summary>Makes a new adapter: A uniform in ±1/sqrt(in), B zero, so that it changes nothing yet.</summary>
    /// <param name="model">The base model; not changed, not kept.</param>
    /// <param name="options">Rank, strength, targets.</param>
    /// <param name="seed">The same seed gives the same adapter on one device.</param>
    /// <exception cref="ArgumentException">A target names no linear layer of the blocks, or a number is out of range.</exception>
    public static LoraAdapter Create(DecoderModel model, LoraOptions options, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        IReadOnlyList<LinearLayer> targets = LoraTargets.Resolve(model, options);
        var adapter = new LoraAdapter(options, model.Config.IsTextPart);
        ScalarType dtype = ParameterType(model);
        using var frozen = no_grad();
        using var generator = new Generator((ulong)seed, model.Device);
        foreach (LinearLayer layer in targets)
        {
            using var scope = NewDisposeScope();
            double bound = 1 / Math.Sqrt(layer.InputSize); // Kaiming uniform with a = sqrt(5), as in PEFT
            int rank = options.RankOf(layer.ModuleName);
            Tensor a = empty([rank, layer.InputSize], dtype, model.Device).uniform_(-bound, bound, generator);
            Tensor b = zeros([layer.OutputSize, rank], dtype, model.Device);
            Tensor? magnitude = options.UseDora ? LoraLayer.RowNorms(layer.ReadWeight().to(dtype)) : null;
            adapter.Add(layer.ModuleName, a, b, magnitude);
        }

        return adapter;
    }

    /// <summary>Loads <c>adapter_config.json</c> and <c>adapter_model.safetensors</c> for serving (frozen).</summary>
    /// <param name="folder">A folder in PEFT's layout.</param>
    /// <param name="model">The base model that it was trained on.</param>
    /// <param name="trainable">Whether it goes on being trained.</param>
    /// <exception cref="FileNotFoundException">A file is absent.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, does not fit the model, or holds NaN or infinity.</exception>
    /// <exception cref="UnsupportedModelException">The adapter uses a PEFT feature that is not computed here; names the key.</exception>
    public static LoraAdapter LoadPeft(string folder, DecoderModel model, bool trainable = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        LoraAdapter adapter = PeftFolder.Load(folder, model);
        adapter.SetTrainable(trainable);
        return adapter;
    }

    /// <summary>The shape of a stored adapter, read without its weights: ranks, strengths, and which modules it has.</summary>
    /// <param name="folder">A folder in PEFT's layout.</param>
    /// <param name="config">The base model that it was trained on.</param>
    /// <inheritdoc cref="LoadPeft" path="/exception"/>
    public static LoraOptions ReadPeftOptions(string folder, ModelConfig config)
    {
        using DecoderModel shapes = DecoderModel.Create(config, options: new ModelLoadOptions { Device = META });
        return PeftFolder.ReadOptions(folder, shapes);
    }

    /// <summary>Saves the adapter so that Hugging Face PEFT loads it.</summary>
    /// <param name="folder">Made where absent.</param>
    /// <param name="baseModelName">Name or path of the base model, as a Python user would give it.</param>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void SavePeft(string folder, string baseModelName) => PeftFolder.Save(this, folder, baseModelName);

    /// <summary>A module's weight with this adapter in it, for export and tests.</summary>
    /// <param name="layer">The base layer.</param>
    /// <returns>[out, in], the base's dtype; fresh, owned by the caller's scope. Where the module is not adapted, a copy of the base weight.</returns>
    public Tensor MergedWeight(LinearLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return Find(layer.ModuleName)?.Merge(layer) ?? layer.DenseWeight();
    }

    /// <summary>Turns gradients on or off; both <see cref="Create"/>d adapters and <see cref="LoadPeft"/> with trainable have them on.</summary>
    /// <param name="trainable">Whether the adapter is to be trained.</param>
    public void SetTrainable(bool trainable)
    {
        foreach (Parameter parameter in parameters())
        {
            parameter.requires_grad = trainable;
        }
    }

    internal LoraLayer? Find(string module) => _layers.GetValueOrDefault(module);

    /// <summary>An adapter made of tensors that were read from files.</summary>
    internal static LoraAdapter FromTensors(DecoderModel model, LoraOptions options, IEnumerable<(string Module, Tensor A, Tensor B, Tensor? Magnitude)> tensors)
    {
        var adapter = new LoraAdapter(options, model.Config.IsTextPart);
        foreach ((string module, Tensor a, Tensor b, Tensor? magnitude) in tensors)
        {
            adapter.Add(module, a, b, magnitude);
        }

        return adapter;
    }

    internal static ScalarType ParameterType(DecoderModel model) => model.Dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (LoraLayer layer in _layers.Values)
            {
                layer.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private void Add(string module, Tensor a, Tensor b, Tensor? magnitude)
    {
        string prefix = $"{PeftFolder.KeyPrefix}{module}.";
        _layers.Add(module, new LoraLayer(
            Own(prefix + "lora_A.weight", a),
            Own(prefix + "lora_B.weight", b),
            magnitude is null ? null : Own(prefix + "lora_magnitude_vector", magnitude),
            Options.ScalingOf(module),
            Options.Dropout));
    }

    private Parameter Own(string name, Tensor data)
    {
        var parameter = new Parameter(data, requires_grad: true);
        parameter.DetachFromDisposeScope();
        register_parameter(name, parameter);
        return parameter;
    }
}
