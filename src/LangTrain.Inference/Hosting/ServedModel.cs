using LangTrain.Inference.Hosting;
using LangTrain.Modeling;
using LangTrain.Modeling.ChatTemplates;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Inference;

/// <summary>One base model in memory with everything that serves it: engine, tokenizer, text generator, and the adapters that are in use over it.</summary>
/// <remarks>Thread-safe. Made and disposed by <see cref="ModelHost"/>.</remarks>
public sealed class ServedModel : IAsyncDisposable
{
    private readonly DecoderModel _model;
    private readonly GenerationEngine _engine;
    private readonly ChatTemplate? _template;
    private readonly LeasedCache<LoraAdapter> _adapters;

    internal ServedModel(DecoderModel model, GenerationEngine engine, Tokenizer tokenizer, ChatTemplate? template, TextGenerator generator, long adapterBytes)
    {
        (_model, _engine, _template, Tokenizer, Generator) = (model, engine, template, tokenizer, generator);
        _adapters = new LeasedCache<LoraAdapter>(adapterBytes, BytesOf, static adapter =>
        {
            adapter.Dispose();
            return ValueTask.CompletedTask;
        }, CacheMetrics.Adapter);
    }

    /// <summary>The architecture.</summary>
    public ModelConfig Config => _model.Config;

    /// <summary>The model's tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>Text in, text out.</summary>
    public TextGenerator Generator { get; }

    /// <summary>True when the model has a chat template.</summary>
    public bool HasChatTemplate => _template is not null;

    /// <summary>Requests that wait for a row.</summary>
    public int QueueLength => _engine.QueueLength;

    internal long Bytes { get; init; }

    /// <summary>A lease on an adapter, which is loaded if it is not in memory.</summary>
    /// <param name="adapterId">The adapter's identity: two contents never share one.</param>
    /// <param name="folder">Gives the local folder in PEFT's layout, fetching it if need be; called once for all who wait.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="AdapterRefusedException">The adapter cannot be served exactly over this model.</exception>
    /// <exception cref="ServingMemoryException">The adapters in use leave no room for it.</exception>
    public async Task<AdapterLease> AcquireAdapterAsync(string adapterId, Func<CancellationToken, Task<string>> folder, CancellationToken cancellationToken = default) =>
        AdapterLease.Of(await _adapters.AcquireAsync(adapterId, () => LoadAsync(adapterId, folder), cancellationToken));

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await _engine.DisposeAsync(); // Ends all rows first: nothing uses an adapter or a weight after it.
        await _adapters.DisposeAsync();
        _model.Dispose();
    }

    private async Task<LoraAdapter> LoadAsync(string adapterId, Func<CancellationToken, Task<string>> folder)
    {
        var path = await folder(CancellationToken.None);
        try
        {
            return LoraAdapter.LoadPeft(path, _model);
        }
        catch (Exception e) when (e is UnsupportedModelException or InvalidDataException or FileNotFoundException)
        {
            throw new AdapterRefusedException(adapterId, e.Message, e);
        }
    }

    // B twice: the kernels keep it the other way round as well.
    private static long BytesOf(LoraAdapter adapter) =>
        adapter.named_parameters().Sum(p => p.parameter.numel() * p.parameter.element_size() * (p.name.Contains("lora_B", StringComparison.Ordinal) ? 2 : 1));
}
