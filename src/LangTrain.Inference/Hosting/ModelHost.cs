using LangTrain.Inference.Engine;
using LangTrain.Inference.Hosting;
using LangTrain.Modeling;
using LangTrain.Modeling.ChatTemplates;
using LangTrain.Modeling.Tokenizers;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace LangTrain.Inference;

/// <summary>
/// The base models that a process serves: each loaded once for a folder and a quantization, kept while it is used, let go in the order of last
/// use when the memory is needed. Thread-safe; dispose it to end all rows and free everything.
/// </summary>
public sealed class ModelHost : IAsyncDisposable
{
    private readonly ModelHostOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<GenerationEngine>? _logger;
    private readonly LeasedCache<ServedModel> _models;

    /// <summary>A host with nothing loaded.</summary>
    /// <param name="options">Sizes.</param>
    /// <param name="time">Clock of the metrics.</param>
    /// <param name="logger">Gets failed steps.</param>
    public ModelHost(ModelHostOptions options, TimeProvider? time = null, ILogger<GenerationEngine>? logger = null)
    {
        (_options, _time, _logger) = (options, time ?? TimeProvider.System, logger);
        _models = new LeasedCache<ServedModel>(options.ModelBytes, static m => m.Bytes, static m => ((IAsyncDisposable)m).DisposeAsync(), CacheMetrics.Model);
    }

    /// <summary>A lease on a base model, which is loaded if it is not in memory.</summary>
    /// <param name="name">What the model is called in metrics and logs.</param>
    /// <param name="folder">Its folder in Hugging Face's layout, tokenizer included.</param>
    /// <param name="quantization">How its weights are kept; <see cref="Quantization.None"/> is the host's own way.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="FileNotFoundException">A file is absent.</exception>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    /// <exception cref="UnsupportedModelException">The architecture is not computed here; names the key.</exception>
    /// <exception cref="UnsupportedTokenizerException">The tokenizer is not computed here; names the key.</exception>
    /// <exception cref="ServingMemoryException">The models in use leave no room for it.</exception>
    public async Task<ModelLease> AcquireAsync(
        string name, string folder, Quantization quantization = Quantization.None, CancellationToken cancellationToken = default)
    {
        var path = Path.GetFullPath(folder);
        var options = quantization == Quantization.None ? _options.Load : _options.Load with { Quantization = quantization };
        return new ModelLease(await _models.AcquireAsync(
            $"{options.Quantization}:{path}", () => Task.FromResult(Load(name, path, options)), cancellationToken,
            () => ExpectedBytes(path, options)));
    }

    /// <summary>Ends all rows and frees the models.</summary>
    public ValueTask DisposeAsync() => _models.DisposeAsync();

    // What the files' headers tell: weights by their number, keys and values by the architecture.
    private long ExpectedBytes(string folder, ModelLoadOptions options)
    {
        var config = ModelConfig.Read(folder);
        using var checkpoint = CheckpointFolder.Open(folder);
        var weights = checkpoint.Names.Sum(name => checkpoint.Entry(name).Shape.Aggregate(1L, (count, size) => count * size));
        var tables = (config.TieEmbeddings ? 1L : 2L) * config.VocabularySize * config.HiddenSize;
        var size = options.Dtype == ScalarType.Float32 ? sizeof(float) : sizeof(short);
        var bytes = options.Quantization switch
        {
            Quantization.Int8 => weights * (1 + (double)sizeof(float) / Int8Weight.GroupSize),
            Quantization.NF4 => tables * size + (weights - tables) * 0.52,
            _ => (double)weights * size,
        };
        var (rows, tokens) = DecoderTokenModel.Fit(config, _options.Engine, sizeof(float));
        return (long)bytes + 2L * sizeof(float) * config.LayerCount * config.KeyValueHeads * config.HeadSize * rows * tokens;
    }

    private ServedModel Load(string name, string folder, ModelLoadOptions options)
    {
        var tokenizer = Tokenizer.Load(folder);
        var model = DecoderModel.Load(folder, options);
        try
        {
            var template = ChatTemplate.Load(folder, _time);
            var chat = template is null ? null : new ChatPromptEncoder(tokenizer, template);
            var engine = new GenerationEngine(model, _options.Engine with { ModelName = name }, _time, _logger);
            int[] stops = [.. model.Config.EosTokenIds, .. tokenizer.EosTokenId is { } eos ? [eos] : Array.Empty<int>()];
            var generator = new TextGenerator(engine, tokenizer, chat, stops);
            return new ServedModel(model, engine, tokenizer, template, generator, _options.AdapterBytes) { Bytes = model.WeightBytes + engine.CacheBytes };
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
