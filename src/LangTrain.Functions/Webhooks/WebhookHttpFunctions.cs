using LangTrain.Contracts;
using LangTrain.Contracts.Webhooks;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Idempotency;
using LangTrain.Core.Webhooks;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Webhooks;

/// <summary>Addresses to which events are sent, signed as Standard Webhooks has it.</summary>
public sealed class WebhookHttpFunctions(WebhookSubscriptions webhooks, WebhookSignature signature, IdempotentRequests once, DerivedSecrets secrets)
{
    /// <summary><c>GET /webhooks</c>.</summary>
    [Function("ListWebhooks")]
    public async Task<IResult> ListWebhooks(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "webhooks")] HttpRequest request, CancellationToken cancellation)
    {
        var list = await webhooks.ListAsync(request.Caller(Scopes.Read).AccountId, cancellation);
        return Answer.Json(request.PageOf([.. list.Select(one => one.ToAnswer())], (WebhookAnswer one) => one.Id), ApiJson.Wire.ListAnswerWebhookAnswer);
    }

    /// <summary><c>POST /webhooks</c>: a new one; its secret is shown in this answer only.</summary>
    [Function("CreateWebhook")]
    public Task<IResult> CreateWebhook(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "webhooks")] HttpRequest request, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        return request.RunOnceTellingSecretAsync(once, secrets, caller, Answers(caller), async (body, seed, _, stop) =>
            Told(caller, await webhooks.CreateAsync(caller, body ?? throw ApiErrors.MissingBody(), seed, stop)), cancellation);
    }

    /// <summary><c>GET /webhooks/{id}</c>.</summary>
    [Function("GetWebhook")]
    public async Task<IResult> GetWebhook(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "webhooks/{webhookId}")] HttpRequest request, string webhookId, CancellationToken cancellation) =>
        Show(await webhooks.GetAsync(request.Caller(Scopes.Read).AccountId, webhookId, cancellation));

    /// <summary><c>PATCH /webhooks/{id}</c>: address, events, description, whether it is on.</summary>
    [Function("ChangeWebhook")]
    public async Task<IResult> ChangeWebhook(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "webhooks/{webhookId}")] HttpRequest request, string webhookId, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        return Show(await webhooks.ChangeAsync(caller.AccountId, webhookId, await request.ReadJsonAsync(cancellation), cancellation));
    }

    /// <summary><c>DELETE /webhooks/{id}</c>.</summary>
    [Function("DeleteWebhook")]
    public async Task<IResult> DeleteWebhook(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "webhooks/{webhookId}")] HttpRequest request, string webhookId, CancellationToken cancellation)
    {
        await webhooks.DeleteAsync(request.Caller(Scopes.Admin).AccountId, webhookId, cancellation);
        return Answer.Json(new DeletedAnswer(webhookId, "webhook"), ApiJson.Wire.DeletedAnswer);
    }

    /// <summary><c>POST /webhooks/{id}/rotate</c>: a new secret; the old one signs beside it for the grace.</summary>
    [Function("RotateWebhook")]
    public Task<IResult> RotateWebhook(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "webhooks/{webhookId}/rotate")] HttpRequest request, string webhookId, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        return request.RunOnceTellingSecretAsync(once, secrets, caller, Answers(caller), async (body, _, _, stop) =>
            Told(caller, await webhooks.RotateAsync(caller.AccountId, webhookId, body, stop)), cancellation);
    }

    /// <summary><c>POST /webhooks/{id}/test</c>: sends a test event.</summary>
    [Function("TestWebhook")]
    public async Task<IResult> TestWebhook(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "webhooks/{webhookId}/test")] HttpRequest request, string webhookId, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Admin);
        request.RefuseIdempotencyKey();
        var body = await request.ReadOptionalJsonAsync(cancellation);
        body?.RefuseUnknownKeys();
        body?.Problems.ThrowIfAny();
        return Answer.Json((await webhooks.TestAsync(caller.AccountId, webhookId, cancellation)).ToAnswer(), ApiJson.Wire.WebhookDeliveryAnswer);
    }

    /// <summary><c>GET /webhooks/{id}/deliveries</c>: a page, newest first; <c>?status</c> narrows it.</summary>
    [Function("ListWebhookDeliveries")]
    public async Task<IResult> ListDeliveries(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "webhooks/{webhookId}/deliveries")] HttpRequest request, string webhookId, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Read);
        var page = await webhooks.ListDeliveriesAsync(caller.AccountId, webhookId, request.ReadPage(), request.QueryValue("status"), cancellation);
        var answers = page.Items.Select(one => one.ToAnswer()).ToArray();
        return Answer.Json(ListAnswer.Of(answers, page.HasMore, one => one.Id), ApiJson.Wire.ListAnswerWebhookDeliveryAnswer);
    }

    private static IResult Show(Webhook webhook) => Answer.Json(webhook.ToAnswer(), ApiJson.Wire.WebhookAnswer);

    private WebhookAnswer Told(Caller caller, Webhook webhook) =>
        webhook.ToAnswer(signature.SecretOf(caller.AccountId, webhook.Id, webhook.SecretVersion));

    private SecretAnswer<WebhookAnswer> Answers(Caller caller) => new(
        ApiJson.Wire.WebhookAnswer,
        answer => answer with { Secret = null },
        answer => answer with { Secret = signature.SecretOf(caller.AccountId, answer.Id, answer.SecretVersion) });
}
