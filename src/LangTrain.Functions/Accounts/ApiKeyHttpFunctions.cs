using LangTrain.Contracts;
using LangTrain.Contracts.Accounts;
using LangTrain.Core.Accounts;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Accounts;

/// <summary>The keys of an account.</summary>
public sealed class ApiKeyHttpFunctions(ApiKeys keys)
{
    /// <summary><c>GET /api-keys</c>: all keys, masked.</summary>
    [Function("ListApiKeys")]
    public async Task<IResult> ListApiKeys(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "api-keys")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        var list = await keys.ListAsync(caller.AccountId, cancellation);
        return Answer.Json(ListAnswer.Of([.. list.Select(key => key.ToAnswer())], false, (ApiKeyAnswer key) => key.Id), ApiJson.Wire.ListAnswerApiKeyAnswer);
    }

    /// <summary><c>POST /api-keys</c>: a new key, shown in this answer only. An <c>Idempotency-Key</c> is refused: nothing that holds a key is stored.</summary>
    [Function("CreateApiKey")]
    public async Task<IResult> CreateApiKey(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api-keys")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        request.RefuseIdempotencyKey();
        var made = await keys.CreateAsync(caller, await request.ReadJsonAsync(cancellation), cancellation);
        return Answer.Json(made.Key.ToAnswer(made.Secret), ApiJson.Wire.ApiKeyAnswer);
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
    public async Task<IResult> RotateApiKey(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api-keys/{keyId}/rotate")] HttpRequest request, string keyId, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        request.RefuseIdempotencyKey();
        var made = await keys.RotateAsync(caller, keyId, await request.ReadOptionalJsonAsync(cancellation), cancellation);
        return Answer.Json(made.Key.ToAnswer(made.Secret), ApiJson.Wire.ApiKeyAnswer);
    }
}
