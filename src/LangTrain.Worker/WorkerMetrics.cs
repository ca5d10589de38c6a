using System.Diagnostics.Metrics;
using LangTrain.Inference;
using OpenTelemetry.Metrics;

namespace LangTrain.Worker;

/// <summary>What the worker tells of its engines at <c>/metrics</c>, for Prometheus, whatever other destinations the settings name.</summary>
internal static class WorkerMetrics
{
    // From one token of a tiny model to a long prompt on a large one.
    private static readonly double[] Seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
    private static readonly double[] Rows = [1, 2, 4, 8, 16, 32, 64, 128, 256];

    /// <summary>Adds the page's source, and buckets that fit.</summary>
    public static void AddWorkerMetrics(this IServiceCollection services) =>
        services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(InferenceMeter.Name)
            .AddView(static instrument => instrument switch
            {
                Histogram<double> { Unit: "s" } => new ExplicitBucketHistogramConfiguration { Boundaries = Seconds },
                Histogram<int> { Unit: "{row}" } => new ExplicitBucketHistogramConfiguration { Boundaries = Rows },
                _ => null,
            })
            // Not a page of 300 ms ago: who looks twice a second wants to see the second time what is.
            .AddPrometheusExporter(prometheus => prometheus.ScrapeResponseCacheDurationMilliseconds = 0));
}
