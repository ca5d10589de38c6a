using LangTrain.Contracts;
using LangTrain.Contracts.Accounts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Http;
using LangTrain.Core.Idempotency;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Accounts;

/// <summary>The accounts of the installation, for its operators.</summary>
public sealed class OperatorHttpFunctions(AccountDirectory directory, IdempotentRequests once, DerivedSecrets secrets)
{
    private readonly SecretAnswer<AccountAnswer> _answers = new(
        ApiJson.Wire.AccountAnswer,
        answer => answer with { ApiKey = answer.ApiKey! with { Key = null } },
        answer => answer with { ApiKey = answer.ApiKey! with { Key = secrets.ApiKey(answer.ApiKey!.Id) } });

    /// <summary><c>GET /accounts</c>: a page of all accounts, by id.</summary>
    [Function("ListAccounts")]
    public async Task<IResult> ListAccounts(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "accounts")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        var asked = PageQuery.FromRequest(name => name == "order" ? request.QueryValue(name) ?? "asc" : request.QueryValue(name));
        if (!asked.OldestFirst)
        {
            throw ApiErrors.Invalid("Accounts are listed by id: order must be 'asc'.", "order");
        }

        var page = await directory.ListAsync(caller, asked.Limit, asked.After, cancellation);
        var answers = page.Items.Select(account => account.ToAnswer()).ToArray();
        return Answer.Json(ListAnswer.Of(answers, page.HasMore, account => account.Id), ApiJson.Wire.ListAnswerAccountAnswer);
    }

    /// <summary><c>POST /accounts</c>: a new account with its first key, shown in this answer only.</summary>
    [Function("CreateAccount")]
    public Task<IResult> CreateAccount(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "accounts")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        return request.RunOnceTellingSecretAsync(once, secrets, caller, _answers, async (body, seed, derived, stop) =>
        {
            var made = await directory.CreateAsync(caller, body ?? throw ApiErrors.MissingBody(), seed, derived ? secrets.ApiKey("key-" + seed) : null, stop);
            return made.Account.ToAnswer(made.Key);
        }, cancellation);
    }

    /// <summary><c>GET /accounts/{id}</c>.</summary>
    [Function("GetAccount")]
    public async Task<IResult> GetAccount(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "accounts/{accountId}")] HttpRequest request, string accountId, CancellationToken cancellation) =>
        Answer.Json((await directory.GetAsync(request.Caller(Scopes.Admin), accountId, cancellation)).ToAnswer(), ApiJson.Wire.AccountAnswer);

    /// <summary><c>PATCH /accounts/{id}</c>: name, email, tier, own limits, whether it is an operator, whether it is suspended.</summary>
    [Function("ChangeAccount")]
    public async Task<IResult> ChangeAccount(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "accounts/{accountId}")] HttpRequest request, string accountId, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        var account = await directory.ChangeAsync(caller, accountId, await request.ReadJsonAsync(cancellation), cancellation);
        return Answer.Json(account.ToAnswer(), ApiJson.Wire.AccountAnswer);
    }

    /// <summary><c>POST /accounts/{id}/sign-in-link</c>: a dashboard link for a person of that account; it works once.</summary>
    [Function("CreateSignInLink")]
    public async Task<IResult> CreateSignInLink(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "accounts/{accountId}/sign-in-link")] HttpRequest request, string accountId, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        request.RefuseIdempotencyKey();
        var body = await request.ReadOptionalJsonAsync(cancellation);
        body?.RefuseUnknownKeys();
        body?.Problems.ThrowIfAny();
        var (ticket, expiresAt) = await directory.InviteAsync(caller, accountId, cancellation);
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return Answer.Json(new SignInLinkAnswer($"{request.BaseUrl()}/dashboard/#ticket={ticket}", expiresAt), ApiJson.Wire.SignInLinkAnswer);
    }
}
