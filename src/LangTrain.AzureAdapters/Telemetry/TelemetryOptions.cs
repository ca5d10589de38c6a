using Azure.Core;

namespace LangTrain.AzureAdapters.Telemetry;

/// <summary>Where traces, metrics and logs go. Each destination that is given gets all three; with none, nothing is collected. Immutable.</summary>
public sealed record TelemetryOptions
{
    /// <summary>Name of this process's role, such as <c>langtrain-worker</c>.</summary>
    public required string ServiceName { get; init; }

    /// <summary><c>APPLICATIONINSIGHTS_CONNECTION_STRING</c>: Azure Monitor, or null.</summary>
    public string? AzureMonitorConnectionString { get; init; }

    /// <summary>Identity that sends to Azure Monitor; null where the connection string is enough.</summary>
    public TokenCredential? AzureMonitorCredential { get; init; }

    /// <summary>Whether <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set: any OpenTelemetry collector. The exporter reads that name and its kin itself.</summary>
    public bool Otlp { get; init; }

    /// <summary><c>LANGTRAIN_TELEMETRY_CONSOLE</c>: spans as text on standard output, for a look on one machine.</summary>
    public bool Console { get; init; }

    /// <summary>Whether anything is collected.</summary>
    public bool IsOn => AzureMonitorConnectionString is not null || Otlp || Console;
}
