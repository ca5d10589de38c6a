using System.Diagnostics.Metrics;
using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Inference.Tests.Hosting;

/// <summary>Serving the real weights from their folder, with adapters made here.</summary>
[Collection(TensorCounts.Name)]
public sealed class ModelHostTests : IAsyncLifetime
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "langtrain-inference-" + Guid.NewGuid().ToString("N"));
    private ModelHost _host = null!;
    private string _base = "";

    public ValueTask InitializeAsync()
    {
        if (Some.Stories260K is not { } stories)
        {
            Assert.Skip("shared/models/stories260K is not beside the repository.");
            return ValueTask.CompletedTask;
        }
        _base = stories;
        _host = new ModelHost(new ModelHostOptions { AdapterBytes = 60_000, Engine = new EngineOptions { MaxRows = 4 } });
        using var model = DecoderModel.Load(_base);
        for (var i = 0; i < 4; i++)
        {
            using var adapter = Some.Adapter(model, 4, i, "q_proj", "v_proj");
            adapter.SavePeft(Path.Combine(_folder, $"adapter{i}"), "stories");
        }
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task One_base_serves_many_adapters_and_lets_the_idle_ones_go()
    {
        await using var lease = await _host.AcquireAsync("stories", _base);
        await using var again = await _host.AcquireAsync("stories", _base);
        Assert.Same(lease.Model, again.Model);
        var seen = new List<string>();
        using var listener = Listen(seen);
        var first = new List<string>();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 4; i++)
            {
                var text = await WriteAsync(lease.Model, $"adapter{i}");
                if (round == 0)
                    first.Add(text);
                else
                    Assert.Equal(first[i], text);
            }
        }
        Assert.Equal(4, first.Distinct().Count());
        Assert.Contains("eviction", seen); // Four do not fit the budget.
    }

    [Fact]
    public async Task An_adapter_given_back_early_lives_until_its_rows_have_left()
    {
        await using var lease = await _host.AcquireAsync("stories", _base);
        var expected = await WriteAsync(lease.Model, "adapter0");
        var adapter = await AcquireAsync(lease.Model, "adapter0");
        var updates = lease.Model.Generator.GenerateAsync(Request(adapter));
        await adapter.DisposeAsync();
        for (var i = 1; i < 4; i++)
            await WriteAsync(lease.Model, $"adapter{i}"); // Pushes adapter0 out, were it not in use.
        Assert.Equal(expected, string.Concat((await updates.ListAsync()).Select(u => u.Text)));
    }

    [Fact]
    public async Task An_adapter_that_cannot_be_served_exactly_is_refused_by_name()
    {
        await using var lease = await _host.AcquireAsync("stories", _base);
        var config = Path.Combine(_folder, "adapter0", "adapter_config.json");
        await File.WriteAllTextAsync(config, (await File.ReadAllTextAsync(config)).Replace("\"modules_to_save\": null", "\"modules_to_save\": [\"lm_head\"]", StringComparison.Ordinal));
        var refused = await Assert.ThrowsAsync<AdapterRefusedException>(() => AcquireAsync(lease.Model, "adapter0"));
        Assert.Equal("adapter0", refused.AdapterId);
        Assert.Contains("modules_to_save", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<AdapterRefusedException>(() => AcquireAsync(lease.Model, "adapter9")); // No such folder.
    }

    [Fact]
    public async Task Closing_frees_every_tensor()
    {
        // What tests before this one left to the collector goes now, not between two counts.
        GC.Collect();
        GC.WaitForPendingFinalizers();

        // TorchSharp's count keeps the tensor that a parameter is made of, whose handle has moved; so by hand is the measure.
        var before = Tensor.TotalCount;
        using (var model = DecoderModel.Load(_base, new ModelLoadOptions { Quantization = Quantization.NF4 }))
        using (LoraAdapter.LoadPeft(Path.Combine(_folder, "adapter1"), model))
        {
        }
        var byHand = Tensor.TotalCount - before;
        before = Tensor.TotalCount;
        await using (var host = new ModelHost(new ModelHostOptions { Engine = new EngineOptions { MaxRows = 2 } }))
        {
            await using var lease = await host.AcquireAsync("stories", _base, Quantization.NF4);
            await WriteAsync(lease.Model, "adapter1");
            Assert.True(Tensor.TotalCount > before + byHand);
        }
        Assert.Equal(before + byHand, Tensor.TotalCount);
    }

    private Task<AdapterLease> AcquireAsync(ServedModel model, string name) =>
        model.AcquireAdapterAsync(name, _ => Task.FromResult(Path.Combine(_folder, name)));

    private async Task<string> WriteAsync(ServedModel model, string name)
    {
        await using var adapter = await AcquireAsync(model, name);
        return (await model.Generator.CompleteAsync(Request(adapter))).Choices[0].Text;
    }

    private static TextGenerationRequest Request(AdapterLease adapter) =>
        new() { Prompt = "Once upon a time", MaxNewTokens = 24, Sampling = SamplingOptions.Greedy, Adapter = adapter };

    private static MeterListener Listen(List<string> events)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Name == "langtrain.inference.adapter_cache")
                    listening.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => events.Add((string)tags[0].Value!));
        listener.Start();
        return listener;
    }
}
