using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Webhooks;
using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.Webhooks;

/// <summary>Describes the endpoints of webhooks.</summary>
internal static class WebhookOperations
{
    private static readonly string Fields = $$"""
          "events":{"type":"array","minItems":1,"items":{"type":"string","enum":[{{string.Join(',', WebhookEvents.All.Select(one => $"\"{one}\""))}}]},"description":"Events to send; all where it is left out."},
          "description":{"type":"string","maxLength":256,"description":"Your own words."}
        """;

    /// <summary>The feature.</summary>
    public static ApiTag Tag { get; } = new("Webhooks", "Addresses to which events are sent, signed as Standard Webhooks has it.",
        new ApiOperation("GET", "webhooks", "ListWebhooks", "Lists webhooks.", ApiAnswer.Json(ApiJson.Wire.ListAnswerWebhookAnswer)) { Scope = Scopes.Read, Query = ApiQuery.Page },
        new ApiOperation("POST", "webhooks", "CreateWebhook", "Makes a webhook. Its secret is shown in this answer only.", ApiAnswer.Json(ApiJson.Wire.WebhookAnswer))
        {
            Scope = Scopes.Admin,
            IsIdempotent = true,
            Body = ApiBody.Json($$"""
                {"type":"object","additionalProperties":false,"required":["url"],"properties":{
                  "url":{"type":"string","minLength":1,"maxLength":2048,"description":"http(s) address on a public network."},
                {{Fields}} } }
                """, """{ "url": "https://example.com/hook", "events": ["fine_tune.completed"] }"""),
        },
        new ApiOperation("GET", "webhooks/{webhookId}", "GetWebhook", "Gives one webhook.", ApiAnswer.Json(ApiJson.Wire.WebhookAnswer)) { Scope = Scopes.Read },
        new ApiOperation("PATCH", "webhooks/{webhookId}", "ChangeWebhook", "Changes what the body names.", ApiAnswer.Json(ApiJson.Wire.WebhookAnswer))
        {
            Scope = Scopes.Admin,
            Body = ApiBody.Json($$"""
                {"type":"object","additionalProperties":false,"properties":{
                  "url":{"type":"string","minLength":1,"maxLength":2048,"description":"http(s) address on a public network."},
                  "enabled":{"type":"boolean","description":"Whether events are sent; true also forgets failures."},
                {{Fields}} } }
                """, """{ "enabled": true }"""),
        },
        new ApiOperation("DELETE", "webhooks/{webhookId}", "DeleteWebhook", "Deletes a webhook.", ApiAnswer.Json(ApiJson.Wire.DeletedAnswer)) { Scope = Scopes.Admin },
        new ApiOperation("POST", "webhooks/{webhookId}/rotate", "RotateWebhook", "Makes a new secret; the old one signs beside it for a grace.", ApiAnswer.Json(ApiJson.Wire.WebhookAnswer))
        {
            Scope = Scopes.Admin,
            IsIdempotent = true,
            Body = ApiBody.Json("""
                {"type":"object","additionalProperties":false,"properties":{
                  "grace_seconds":{"type":"integer","minimum":0,"maximum":2592000,"default":86400,"description":"For how long the old secret still signs."}}}
                """, """{ "grace_seconds": 3600 }""") with { IsOptional = true },
        },
        new ApiOperation("POST", "webhooks/{webhookId}/test", "TestWebhook", "Sends a test event.", ApiAnswer.Json(ApiJson.Wire.WebhookDeliveryAnswer))
        {
            Scope = Scopes.Admin, Errors = [400, 409, 413, 415],
        },
        new ApiOperation("GET", "webhooks/{webhookId}/deliveries", "ListWebhookDeliveries", "Lists what was sent, newest first.", ApiAnswer.Json(ApiJson.Wire.ListAnswerWebhookDeliveryAnswer))
        {
            Scope = Scopes.Read,
            Query = [.. ApiQuery.Page, ApiQuery.OneOf("status", "Only deliveries that stand so.", "pending", "delivered", "failed")],
        });
}
