using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using LangTrain.Core.Observability;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LangTrain.AzureAdapters.Telemetry;

/// <summary>OpenTelemetry for app and worker: the product's spans, meters and logs to the destinations that the settings name.</summary>
public static class TelemetryRegistration
{
    /// <summary>Reads the destinations; the names are the same in every process.</summary>
    /// <param name="configuration">The host's configuration.</param>
    /// <param name="serviceName">Role of the process.</param>
    public static TelemetryOptions ReadTelemetry(this IConfiguration configuration, string serviceName)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        string? Given(string name) => string.IsNullOrWhiteSpace(configuration[name]) ? null : configuration[name];
        // ClientId=…;Authorization=AAD, as Azure Functions has it.
        var byIdentity = Given("APPLICATIONINSIGHTS_AUTHENTICATION_STRING")?.Contains("Authorization=AAD", StringComparison.OrdinalIgnoreCase) == true;
        return new TelemetryOptions
        {
            ServiceName = serviceName,
            AzureMonitorConnectionString = Given("APPLICATIONINSIGHTS_CONNECTION_STRING"),
            AzureMonitorCredential = byIdentity
                ? new DefaultAzureCredential(new DefaultAzureCredentialOptions { ManagedIdentityClientId = Given("AZURE_CLIENT_ID") })
                : null,
            Otlp = Given("OTEL_EXPORTER_OTLP_ENDPOINT") is not null,
            Console = Given("LANGTRAIN_TELEMETRY_CONSOLE") is { } on && (on == "1" || on.Equals("true", StringComparison.OrdinalIgnoreCase)),
        };
    }

    /// <summary>Adds collection and export; adds nothing where no destination is given.</summary>
    public static IServiceCollection AddLangTrainTelemetry(this IServiceCollection services, TelemetryOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.IsOn)
        {
            return services;
        }

        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(options.ServiceName, serviceNamespace: "langtrain", serviceInstanceId: Environment.MachineName))
            // The server's own span is the root of most traces: unheard, it would say that nothing below it is to be recorded.
            .WithTracing(tracing => Export(tracing.AddSource(JobTrace.SourceName, "Microsoft.AspNetCore"), options))
            .WithMetrics(metrics => Export(metrics.AddMeter("LangTrain*"), options));
        services.AddLogging(logging => logging.AddOpenTelemetry(logs => Export(logs, options)));
        return services;
    }

    private static void Export(TracerProviderBuilder tracing, TelemetryOptions options)
    {
        if (options.AzureMonitorConnectionString is { } connection)
        {
            tracing.AddAzureMonitorTraceExporter(monitor => monitor.ConnectionString = connection, options.AzureMonitorCredential);
        }

        if (options.Otlp)
        {
            tracing.AddOtlpExporter();
        }

        if (options.Console)
        {
            tracing.AddConsoleExporter();
        }
    }

    private static void Export(MeterProviderBuilder metrics, TelemetryOptions options)
    {
        if (options.AzureMonitorConnectionString is { } connection)
        {
            metrics.AddAzureMonitorMetricExporter(monitor => monitor.ConnectionString = connection, options.AzureMonitorCredential);
        }

        if (options.Otlp)
        {
            metrics.AddOtlpExporter();
        }
    }

    private static void Export(OpenTelemetryLoggerOptions logs, TelemetryOptions options)
    {
        // The job's id is in the scope, and the text as it was written beside its parts.
        (logs.IncludeScopes, logs.IncludeFormattedMessage) = (true, true);
        if (options.AzureMonitorConnectionString is { } connection)
        {
            logs.AddAzureMonitorLogExporter(monitor => monitor.ConnectionString = connection, options.AzureMonitorCredential);
        }

        if (options.Otlp)
        {
            logs.AddOtlpExporter();
        }
    }
}
