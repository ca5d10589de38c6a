using LangTrain.AzureAdapters.Telemetry;
using LangTrain.Functions;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.Services.AddLangTrain(builder.Configuration);
builder.UseLangTrainMiddleware();
if (builder.Configuration.ReadTelemetry("").IsOn)
{
    // This process exports its own logs; without this word the host would write them a second time.
    builder.Services.Configure<WorkerOptions>(worker => worker.Capabilities["WorkerOpenTelemetryEnabled"] = bool.TrueString);
}

await builder.Build().RunAsync();
