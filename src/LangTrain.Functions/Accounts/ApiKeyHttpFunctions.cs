using LangTrain.Contracts;
using LangTrain.Contracts.Accounts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Idempotency;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Accounts;

/// <summary>The keys of an account.</summary>
public sealed class ApiKeyHttpFunctions(ApiKeys keys, IdempotentRequests once, DerivedSecrets secrets)
{
    private readonly SecretAnswer<ApiKeyAnswer> _answers = new(
        ApiJson.Wire.ApiKeyAnswer, answer => answer with { Key = null }, answer => answer with { Key = secrets.ApiKey(answer.Id) });

    /// <summary><c>GET /api-keys</c>: all keys, masked.</summary>
    [Function("ListApiKeys")]
    public async Task<IResult> ListApiKeys(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "api-keys")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        var list = await keys.ListAsync(caller.AccountId, cancellation);
        return Answer.Json(request.PageOf([.. list.Select(key => key.ToAnswer())], (ApiKeyAnswer key) => key.Id), ApiJson.Wire.ListAnswerApiKeyAnswer);
    }

    /// <summary><c>POST /api-keys</c>: a new key, shown in this answer only.</summary>
    [Function("CreateApiKey")]
    public Task<IResult> CreateApiKey(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api-keys")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        return request.RunOnceTellingSecretAsync(once, secrets, caller, _answers, async (body, seed, derived, stop) =>
        {
            var made = await keys.CreateAsync(caller, body ?? throw ApiErrors.MissingBody(), seed, derived ? secrets.ApiKey("key-" + seed) : null, stop);
            return made.Key.ToAnswer(made.Secret);
        }, cancellation);
    }

    /// <summary><c>DELETE /api-keys/{id}</c>: the key stops within 5 seconds everywhere.</summary>
    [Function("RevokeApiKey")]
    public async Task<IResult> RevokeApiKey(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "api-keys/{keyId}")] HttpRequest request, string keyId, CancellationToken cancellation)
    {
        await keys.RevokeAsync(request.Caller(Scopes.Admin).AccountId, keyId, cancellation);
        return Answer.Json(new DeletedAnswer(keyId, "api_key"), ApiJson.Wire.DeletedAnswer);
    }

    /// <summary><c>POST /api-keys/{id}/rotate</c>: a new key like it; the old one stops after the grace.</summary>
    [Function("RotateApiKey")]
    public Task<IResult> RotateApiKey(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api-keys/{keyId}/rotate")] HttpRequest request, string keyId, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        return request.RunOnceTellingSecretAsync(once, secrets, caller, _answers, async (body, seed, derived, stop) =>
        {
            var made = await keys.RotateAsync(caller, keyId, body, seed, derived ? secrets.ApiKey("key-" + seed) : null, stop);
            return made.Key.ToAnswer(made.Secret);
        }, cancellation);
    }
}
