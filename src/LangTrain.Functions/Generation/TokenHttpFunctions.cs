using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Generation;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Generation;

/// <summary>Texts to tokens and back.</summary>
public sealed class TokenHttpFunctions(CountTokens tokens)
{
    /// <summary><c>POST /tokenize</c>.</summary>
    [Function("Tokenize")]
    public async Task<IResult> Tokenize([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "tokenize")] HttpRequest request)
    {
        var caller = request.Caller(Scopes.Infer);
        var body = await request.ReadJsonAsync(request.HttpContext.RequestAborted);
        return Answer.Json(await tokens.TokenizeAsync(caller, body, request.HttpContext.RequestAborted), ApiJson.Wire.TokenizeAnswer);
    }

    /// <summary><c>POST /detokenize</c>.</summary>
    [Function("Detokenize")]
    public async Task<IResult> Detokenize([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "detokenize")] HttpRequest request)
    {
        var caller = request.Caller(Scopes.Infer);
        var body = await request.ReadJsonAsync(request.HttpContext.RequestAborted);
        return Answer.Json(await tokens.DetokenizeAsync(caller, body, request.HttpContext.RequestAborted), ApiJson.Wire.DetokenizeAnswer);
    }
}
