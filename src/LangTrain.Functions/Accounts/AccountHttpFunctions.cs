using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Limits;
using LangTrain.Core.Usage;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Accounts;

/// <summary>Who am I, what may I, what did I use.</summary>
public sealed class AccountHttpFunctions(RequestLimiter limiter, SummarizeUsage summarize, TimeProvider time)
{
    /// <summary><c>GET /user/profile</c>: the account behind the key.</summary>
    [Function("GetProfile")]
    public static IResult GetProfile([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "user/profile")] HttpRequest request) =>
        Answer.Json(request.Caller().ToProfile(), ApiJson.Wire.ProfileAnswer);

    /// <summary><c>GET /limits</c>: limits and what is left of them.</summary>
    [Function("GetLimits")]
    public IResult GetLimits([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "limits")] HttpRequest request)
    {
        var caller = request.Caller();
        return Answer.Json(limiter.Peek(caller.Account).ToAnswer(caller.Account.Tier, time.GetUtcNow()), ApiJson.Wire.LimitsAnswer);
    }

    /// <summary><c>GET /usage</c>: sums by day, key or model.</summary>
    [Function("GetUsage")]
    public async Task<IResult> GetUsage(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "usage")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Read);
        return Answer.Json(await summarize.ExecuteAsync(caller.AccountId, request.QueryValue, cancellation), ApiJson.Wire.UsageAnswer);
    }
}
