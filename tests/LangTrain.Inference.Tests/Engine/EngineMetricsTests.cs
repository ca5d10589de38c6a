using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace LangTrain.Inference.Tests.Engine;

public class EngineMetricsTests
{
    [Fact]
    public async Task What_the_engine_does_is_measured()
    {
        var name = "measured-" + Guid.NewGuid().ToString("N");
        var seen = new ConcurrentDictionary<string, List<double>>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Name == InferenceMeter.Name)
                    listening.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Add(i, value, tags));
        listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Add(i, value, tags));
        listener.SetMeasurementEventCallback<int>((i, value, tags, _) => Add(i, value, tags));
        listener.Start();
        var model = new ArithmeticTokenModel(slots: 2);
        await using (var engine = new GenerationEngine(model, new EngineOptions { ModelName = name, QueueCapacity = 3 }))
        {
            var streams = engine.Submit([.. Enumerable.Range(1, 3).Select(i => Some.Request([i, 2, 3], 4))]);
            await Task.WhenAll(streams.Select(s => s.ReadAllAsync().IdsAsync()));
            Assert.Throws<EngineQueueFullException>(() => engine.Submit([.. Enumerable.Range(1, 4).Select(i => Some.Request([i], 1))]));
        }
        Assert.Equal(12, Sum("generated_tokens"));
        Assert.Equal(9, Sum("prompt_tokens"));
        Assert.Equal(3, seen["langtrain.inference.time_to_first_token"].Count);
        Assert.Equal(9, seen["langtrain.inference.inter_token_time"].Count);
        Assert.Equal(3, seen["langtrain.inference.queue_time"].Count);
        Assert.Equal(1, Sum("rejected_requests"));
        Assert.Equal(0, Sum("queue_length"));
        Assert.Equal(2, seen["langtrain.inference.batch_size"].Max());
        Assert.Contains(seen["langtrain.inference.kv_cache_use"], use => use > 0);
        Assert.Equal(seen["langtrain.inference.batch_size"].Count, seen["langtrain.inference.step_time"].Count);

        double Sum(string instrument) => seen["langtrain.inference." + instrument].Sum();

        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var tag in tags)
            {
                if (tag is { Key: "model", Value: string model } && model == name)
                {
                    var list = seen.GetOrAdd(instrument.Name, _ => []);
                    lock (list)
                        list.Add(value);
                }
            }
        }
    }
}
