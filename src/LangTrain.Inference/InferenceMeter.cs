using System.Diagnostics.Metrics;

namespace LangTrain.Inference;

/// <summary>The meter of all instruments of this project, for a host that exports them.</summary>
public static class InferenceMeter
{
    /// <summary>The meter's name, to be given to a metrics exporter.</summary>
    public const string Name = "LangTrain.Inference";

    internal static Meter Meter { get; } = new(Name);
}
