using System.Text.Json;
using LangTrain.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LangTrain.Functions.Http;

/// <summary>Tells in a stream that has begun why it ends; the status can tell no more.</summary>
internal static class StreamFailure
{
    /// <summary>Writes <c>data: {"error": …}</c>, the last that the stream has to say.</summary>
    public static async Task WriteAsync(HttpContext http, Exception thrown)
    {
        var error = Failure.ToApi(thrown, http.TraceIdentifier);
        if (error.Status >= 500)
        {
            http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("LangTrain.Functions.Streams").StreamFailed(thrown, http.TraceIdentifier);
        }

        var json = JsonSerializer.Serialize(error.ToEnvelope(), ApiJson.Wire.ErrorEnvelope);
        await http.Response.WriteAsync($"data: {json}\n\n", http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
    }
}
