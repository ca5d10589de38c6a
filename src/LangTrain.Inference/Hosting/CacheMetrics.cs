using System.Diagnostics.Metrics;

namespace LangTrain.Inference.Hosting;

/// <summary>Hits, misses and evictions of adapters and models.</summary>
internal static class CacheMetrics
{
    private static readonly Counter<long> AdapterEvents =
        InferenceMeter.Meter.CreateCounter<long>("langtrain.inference.adapter_cache", "{event}", "Adapters found in memory (hit), loaded (miss), let go (eviction).");

    private static readonly Counter<long> ModelEvents =
        InferenceMeter.Meter.CreateCounter<long>("langtrain.inference.model_cache", "{event}", "Base models found in memory (hit), loaded (miss), let go (eviction).");

    public static void Adapter(string what) => AdapterEvents.Add(1, new KeyValuePair<string, object?>("event", what));

    public static void Model(string what) => ModelEvents.Add(1, new KeyValuePair<string, object?>("event", what));
}
