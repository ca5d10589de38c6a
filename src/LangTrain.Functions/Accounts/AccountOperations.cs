using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Functions.Http;
using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.Accounts;

/// <summary>Describes the endpoints of accounts, keys and usage.</summary>
internal static class AccountOperations
{
    /// <summary>The feature.</summary>
    public static ApiTag Tag { get; } = new("Account", "Who calls, with which keys, within which limits.",
        new ApiOperation("GET", "user/profile", "GetProfile", "Gives the account behind the key.", ApiAnswer.Json(ApiJson.Wire.ProfileAnswer)),
        new ApiOperation("GET", "limits", "GetLimits", "Gives the limits and what is left of them.", ApiAnswer.Json(ApiJson.Wire.LimitsAnswer)),
        new ApiOperation("GET", "usage", "GetUsage", "Sums usage by day, key or model.", ApiAnswer.Json(ApiJson.Wire.UsageAnswer))
        {
            Scope = Scopes.Read,
            Query =
            [
                new ApiQuery("from", """{"type":"string","format":"date"}""", "First day, UTC; 30 days before `to` where it is left out."),
                new ApiQuery("to", """{"type":"string","format":"date"}""", "Last day, UTC; today where it is left out."),
                ApiQuery.OneOf("group_by", "What to sum by; `day` where it is left out.", "day", "key", "model"),
            ],
        },
        new ApiOperation("GET", "api-keys", "ListApiKeys", "Lists the account's keys, masked.", ApiAnswer.Json(ApiJson.Wire.ListAnswerApiKeyAnswer)) { Scope = Scopes.Admin },
        new ApiOperation("POST", "api-keys", "CreateApiKey", "Makes a key. It is shown in this answer only.", ApiAnswer.Json(ApiJson.Wire.ApiKeyAnswer))
        {
            Scope = Scopes.Admin,
            Errors = [409],
            Body = ApiBody.Json("""
                {"type":"object","additionalProperties":false,"properties":{
                  "name":{"type":"string","minLength":1,"maxLength":100,"description":"Name for people."},
                  "scopes":{"type":"array","minItems":1,"items":{"type":"string","enum":["read","train","infer","admin"]},"description":"What it may; everything where it is left out."},
                  "expires_in_days":{"type":"integer","minimum":1,"maximum":3650},
                  "expires_at":{"type":"string","format":"date-time","description":"A moment in the future; this or `expires_in_days`."}}}
                """, """{ "name": "chat page", "scopes": ["infer"], "expires_in_days": 90 }"""),
        },
        new ApiOperation("DELETE", "api-keys/{keyId}", "RevokeApiKey", "Revokes a key; it stops within 5 seconds everywhere.", ApiAnswer.Json(ApiJson.Wire.DeletedAnswer)) { Scope = Scopes.Admin },
        new ApiOperation("POST", "api-keys/{keyId}/rotate", "RotateApiKey", "Makes a key like an old one, which stops after a grace.", ApiAnswer.Json(ApiJson.Wire.ApiKeyAnswer))
        {
            Scope = Scopes.Admin,
            Body = ApiBody.Json("""
                {"type":"object","additionalProperties":false,"properties":{
                  "grace_seconds":{"type":"integer","minimum":0,"maximum":2592000,"default":86400,"description":"For how long the old key still works."}}}
                """, """{ "grace_seconds": 3600 }""") with { IsOptional = true },
        },
        new ApiOperation("POST", "dashboard-sessions", FunctionNames.RedeemTicket, "Exchanges the ticket of a sign-in link for a key, once.", ApiAnswer.Json(ApiJson.Wire.ApiKeyAnswer))
        {
            Errors = [401],
            Body = ApiBody.Json("""{"type":"object","additionalProperties":false,"required":["ticket"],"properties":{"ticket":{"type":"string","minLength":1}}}""", """{ "ticket": "lt-ticket" }"""),
        });
}
