using System.Net.Sockets;
using System.Text;
using LangTrain.Core;
using LangTrain.Core.Errors;
using LangTrain.Functions;
using LangTrain.Functions.Http;
using LangTrain.LocalHost.Durable;
using LangTrain.LocalHost.Hosting;
using LangTrain.LocalHost.Processes;
using LangTrain.LocalHost.Queues;
using LangTrain.LocalHost.Relay;
using LangTrain.LocalHost.Timers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LangTrain.LocalHost.Startup;

/// <summary>Builds the web application: the app's functions in the function host, the durable runtime, and the Web PubSub stand-in.</summary>
internal static class LocalHostApp
{
    /// <summary>The whole app.</summary>
    /// <param name="settings">This host's settings.</param>
    /// <param name="appSettings">The app's settings, over those of the environment.</param>
    /// <param name="relay">The stand-in's settings.</param>
    /// <param name="log">Takes the log.</param>
    /// <param name="verbose">Whether the console gets it too.</param>
    /// <exception cref="StartFailedException">A function or a setting is wrong; the message lists all.</exception>
    public static WebApplication Build(
        LocalHostSettings settings, IReadOnlyDictionary<string, string?> appSettings, RelayOptions relay, LogFile log, bool verbose)
    {
        var builder = Builder(settings, appSettings, log, verbose);
        var host = HostJson.Read(Path.Combine(AppContext.BaseDirectory, "host.json"));
        var catalog = FunctionCatalog.Of(typeof(FunctionsAppSetup).Assembly.GetTypes()
            .Where(type => type.Namespace?.StartsWith("LangTrain.Functions", StringComparison.Ordinal) == true));
        try
        {
            builder.Services.AddLangTrain(builder.Configuration);
        }
        catch (InvalidOperationException wrong)
        {
            throw new StartFailedException(wrong.Message, wrong);
        }

        var pipeline = new FunctionPipeline(builder.Services);
        pipeline.UseLangTrainMiddleware();
        builder.Services.AddSingleton(host).AddSingleton(catalog).AddSingleton(pipeline);
        builder.Services.AddSingleton<StorageConnections>().AddSingleton<RequestGate>().AddSingleton<HttpFunctionEndpoints>();
        builder.Services.AddSingleton(services => new DurableStore(services.GetRequiredService<StorageConnections>().Get(), host.TaskHub));
        builder.Services.AddSingleton<ICommitPoints, NoCommitPoints>().AddSingleton<DurableRuntime>();
        builder.Services.AddSingleton<DurableTaskClient, LocalDurableTaskClient>();
        builder.Services.AddHostedService(services => services.GetRequiredService<DurableRuntime>());
        builder.Services.AddHostedService<QueueListeners>().AddHostedService<TimerListeners>();
        AddRelay(builder.Services, relay);

        var app = builder.Build();
        MapRelay(app);
        app.Services.GetRequiredService<HttpFunctionEndpoints>().Map(app, catalog, host.RoutePrefix);
        MapOutside(app, host.RoutePrefix);
        return app;
    }

    /// <summary>The stand-in alone, for an app under another host.</summary>
    public static WebApplication BuildRelay(LocalHostSettings settings, RelayOptions relay, LogFile log, bool verbose)
    {
        var builder = Builder(settings, new Dictionary<string, string?>(), log, verbose);
        AddRelay(builder.Services, relay);
        var app = builder.Build();
        MapRelay(app);
        return app;
    }

    /// <summary>Starts listening.</summary>
    /// <exception cref="StartFailedException">The address is taken.</exception>
    public static async Task StartAsync(WebApplication app, Uri url)
    {
        try
        {
            await app.StartAsync();
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException or SocketException)
        {
            throw Taken(url, taken);
        }
    }

    /// <summary>Looks at the address before anything else is started for it.</summary>
    /// <exception cref="StartFailedException">It is taken.</exception>
    public static void EnsureFree(Uri url)
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(url.Host, url.Port);
        }
        catch (SocketException)
        {
            return;
        }

        throw Taken(url, null);
    }

    private static StartFailedException Taken(Uri url, Exception? inner) => new(
        $"Port {url.Port} of {url.Host} is taken by another program. End it, or choose another address with LANGTRAIN_URL.", inner);

    private static WebApplicationBuilder Builder(LocalHostSettings settings, IReadOnlyDictionary<string, string?> appSettings, LogFile log, bool verbose)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddInMemoryCollection(appSettings);
        builder.Logging.ClearProviders().AddProvider(log).AddFilter("Azure", LogLevel.Warning).AddFilter("Microsoft", LogLevel.Warning);
        if (verbose)
        {
            builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        }

        builder.WebHost.UseUrls(settings.Url.GetLeftPart(UriPartial.Authority));
        // Uploads are streamed; each function has a limit of its own and says so in the API's own words.
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.AddServerHeader = false;
            // A header that is not UTF-8 is a wrong one of its name, not an end of the connection without a word.
            kestrel.RequestHeaderEncodingSelector = _ => Encoding.UTF8;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton<IMemoryPoolFactory<byte>, ConnectionBuffers.Factory>();
        return builder;
    }

    private static void AddRelay(IServiceCollection services, RelayOptions relay) => services
        .AddSingleton(relay).AddSingleton<HttpClient>().AddSingleton<RelayHubs>().AddSingleton<RelayUpstream>().AddSingleton<RelayClientEndpoint>().AddSingleton<RelayServerEndpoints>();

    // What is outside the API's prefix: people who open the address land in the dashboard, programs are told in the API's own words that nothing is there.
    private static void MapOutside(WebApplication app, string routePrefix)
    {
        app.MapGet("/", () => TypedResults.Redirect($"/{routePrefix}/dashboard/"));
        app.MapFallback("{*path}", (HttpContext http, TimeProvider time) =>
        {
            http.Response.Headers["x-request-id"] = Ids.New("req", time);
            return new ErrorResult(ApiErrors.UnknownPath(http.Request.Method, http.Request.Path));
        });
    }

    private static void MapRelay(WebApplication app)
    {
        app.UseWebSockets();
        app.Services.GetRequiredService<RelayServerEndpoints>().Map(app);
    }
}
