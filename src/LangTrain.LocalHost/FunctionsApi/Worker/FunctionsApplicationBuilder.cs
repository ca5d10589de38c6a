using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>Sets an isolated worker up. In this build it checks that the app's program compiles; LocalHost has a host of its own.</summary>
public class FunctionsApplicationBuilder : IHostApplicationBuilder, IFunctionsWorkerApplicationBuilder
{
    private readonly HostApplicationBuilder _builder;

    internal FunctionsApplicationBuilder(string[] args) => _builder = Host.CreateApplicationBuilder(args);

    /// <summary>Properties that parts of the set-up share.</summary>
    public IDictionary<object, object> Properties => ((IHostApplicationBuilder)_builder).Properties;

    /// <summary>The app's configuration.</summary>
    public ConfigurationManager Configuration => _builder.Configuration;

    /// <summary>The environment that it runs in.</summary>
    public IHostEnvironment Environment => _builder.Environment;

    /// <summary>Its logging.</summary>
    public ILoggingBuilder Logging => _builder.Logging;

    /// <summary>Its metrics.</summary>
    public IMetricsBuilder Metrics => _builder.Metrics;

    /// <summary>Its services.</summary>
    public IServiceCollection Services => _builder.Services;

    IConfigurationManager IHostApplicationBuilder.Configuration => _builder.Configuration;

    /// <summary>Says how to run the app, which this build cannot.</summary>
    /// <exception cref="InvalidOperationException">Always: the Functions worker is not part of this build.</exception>
    public IHost Build() => throw new InvalidOperationException(
        $"This build of {Environment.ApplicationName} only checks that it compiles. Run it with 'dotnet run --project src/LangTrain.LocalHost', "
        + "or build it with -p:FunctionsHost=azure where the Azure Functions packages can be restored.");

    /// <inheritdoc/>
    public void ConfigureContainer<TContainerBuilder>(
        IServiceProviderFactory<TContainerBuilder> factory, Action<TContainerBuilder>? configure = null)
        where TContainerBuilder : notnull =>
        _builder.ConfigureContainer(factory, configure);

    /// <inheritdoc/>
    public IFunctionsWorkerApplicationBuilder Use(Func<FunctionExecutionDelegate, FunctionExecutionDelegate> middleware) => this;
}
