using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace LangTrain.Benchmarks;

/// <summary>The peer of the service's speed: an ASP.NET Core server that does nothing.</summary>
internal static class PlainServer
{
    /// <summary>Serves until its input ends.</summary>
    public static int Run(string url)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        var app = builder.Build();
        app.MapGet("/", () => "ok");
        app.StartAsync().GetAwaiter().GetResult();
        Console.In.ReadToEnd();
        app.StopAsync().GetAwaiter().GetResult();
        return 0;
    }
}
