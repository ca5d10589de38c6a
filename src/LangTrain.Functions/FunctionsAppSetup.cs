using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace LangTrain.Functions;

/// <summary>Services and middleware of the app, the same for both of its hosts.</summary>
public static class FunctionsAppSetup
{
    /// <summary>Adds everything that the function classes need.</summary>
    public static IServiceCollection AddLangTrain(this IServiceCollection services, IConfiguration configuration)
    {
        // Both hosts read queue messages, activity inputs and durable payloads with these options.
        services.Configure<JsonSerializerOptions>(options => options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower);
        return services;
    }

    /// <summary>Adds the steps around every function, outermost first.</summary>
    public static IFunctionsWorkerApplicationBuilder UseLangTrainMiddleware(this IFunctionsWorkerApplicationBuilder builder) => builder;
}
