using System.Globalization;
using LangTrain.Core.Accounts;
using LangTrain.Core.Limits;
using LangTrain.Core.Usage;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace LangTrain.Functions.Middleware;

/// <summary>Counts each request of a known key against its account's limits and tells how they stand. After authentication.</summary>
internal sealed class LimitsMiddleware(RequestLimiter limiter, UsageRecorder usage) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (context.GetHttpContext() is { } http && http.Features.Get<Caller>() is { } caller)
        {
            var state = await limiter.CountAsync(caller.Account, http.RequestAborted);
            WriteHeaders(http.Response.Headers, state);
            if (!state.Allowed)
            {
                throw RequestLimiter.Refusal(state);
            }

            http.Features.Set(caller with { ModelKnown = usage.AddRequest(caller.AccountId, caller.Key.Id) });
        }

        await next(context);
    }

    private static void WriteHeaders(IHeaderDictionary headers, LimitState state)
    {
        headers["x-ratelimit-limit-requests"] = state.Limit.ToString(CultureInfo.InvariantCulture);
        headers["x-ratelimit-remaining-requests"] = state.Remaining.ToString(CultureInfo.InvariantCulture);
        headers["x-ratelimit-reset-requests"] = Duration(state.Reset);
    }

    // As OpenAI writes it: 1h2m3s, the larger units only where needed.
    internal static string Duration(TimeSpan time)
    {
        var seconds = Math.Max(1, (long)Math.Ceiling(time.TotalSeconds));
        var (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        return string.Create(
            CultureInfo.InvariantCulture, $"{(hours > 0 ? hours + "h" : "")}{(seconds >= 60 ? minutes + "m" : "")}{seconds % 60}s");
    }
}
