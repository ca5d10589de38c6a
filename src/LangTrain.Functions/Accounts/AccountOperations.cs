using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Functions.Http;
using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.Accounts;

/// <summary>Describes the endpoints of accounts, keys and usage.</summary>
internal static class AccountOperations
{
    private const string AccountFields = """
          "email":{"type":"string","minLength":3,"maxLength":254},
          "tier":{"type":"string","enum":["free","pro","enterprise"]},
          "operator":{"type":"boolean","description":"Whether it may make and change other accounts."},
          "requests_per_minute":{"type":["integer","null"],"minimum":1,"description":"A limit of its own; null goes back to the tier's."},
          "requests_per_day":{"type":["integer","null"],"minimum":1,"description":"A limit of its own; null goes back to the tier's."}
        """;

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
        new ApiOperation("GET", "api-keys", "ListApiKeys", "Lists the account's keys, masked.", ApiAnswer.Json(ApiJson.Wire.ListAnswerApiKeyAnswer)) { Scope = Scopes.Admin, Query = ApiQuery.Page },
        new ApiOperation("POST", "api-keys", "CreateApiKey", "Makes a key. It is shown in this answer only.", ApiAnswer.Json(ApiJson.Wire.ApiKeyAnswer))
        {
            Scope = Scopes.Admin,
            IsIdempotent = true,
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
            IsIdempotent = true,
            Body = ApiBody.Json("""
                {"type":"object","additionalProperties":false,"properties":{
                  "grace_seconds":{"type":"integer","minimum":0,"maximum":2592000,"default":86400,"description":"For how long the old key still works."}}}
                """, """{ "grace_seconds": 3600 }""") with { IsOptional = true },
        },
        new ApiOperation("GET", "dashboard-sessions", FunctionNames.SignInWays, "Lists the ways of signing in to the dashboard.", ApiAnswer.Json(ApiJson.Wire.SignInWaysAnswer)),
        new ApiOperation("POST", "dashboard-sessions/entra", FunctionNames.SignInWithEntra, "Makes a key for whoever Azure's built-in authentication says is there.", ApiAnswer.Json(ApiJson.Wire.ApiKeyAnswer))
        {
            Errors = [400, 401, 403, 404, 409, 413, 415],
        },
        new ApiOperation("POST", "dashboard-sessions", FunctionNames.RedeemTicket, "Exchanges the ticket of a sign-in link for a key, once.", ApiAnswer.Json(ApiJson.Wire.ApiKeyAnswer))
        {
            Errors = [401],
            Body = ApiBody.Json("""{"type":"object","additionalProperties":false,"required":["ticket"],"properties":{"ticket":{"type":"string","minLength":1}}}""", """{ "ticket": "lt-ticket" }"""),
        });

    /// <summary>The accounts of an installation, for its operators.</summary>
    public static ApiTag Operators { get; } = new("Operators", "The accounts of the installation. Needs a key with the scope `admin` of an account that is an operator.",
        new ApiOperation("GET", "accounts", "ListAccounts", "Lists all accounts, by id.", ApiAnswer.Json(ApiJson.Wire.ListAnswerAccountAnswer))
        {
            Scope = Scopes.Admin,
            Query = [ApiQuery.Page[0], ApiQuery.Page[1], ApiQuery.OneOf("order", "By id.", "asc")],
        },
        new ApiOperation("POST", "accounts", "CreateAccount", "Makes an account with a first key, which is shown in this answer only.", ApiAnswer.Json(ApiJson.Wire.AccountAnswer))
        {
            Scope = Scopes.Admin,
            IsIdempotent = true,
            Body = ApiBody.Json($$"""
                {"type":"object","additionalProperties":false,"required":["name"],"properties":{
                  "name":{"type":"string","minLength":1,"maxLength":100},
                {{AccountFields}} } }
                """, """{ "name": "Research", "tier": "pro" }"""),
        },
        new ApiOperation("GET", "accounts/{accountId}", "GetAccount", "Gives one account.", ApiAnswer.Json(ApiJson.Wire.AccountAnswer)) { Scope = Scopes.Admin },
        new ApiOperation("PATCH", "accounts/{accountId}", "ChangeAccount", "Changes what the body names.", ApiAnswer.Json(ApiJson.Wire.AccountAnswer))
        {
            Scope = Scopes.Admin,
            Errors = [409],
            Body = ApiBody.Json($$"""
                {"type":"object","additionalProperties":false,"properties":{
                  "name":{"type":"string","minLength":1,"maxLength":100},
                  "suspended":{"type":"boolean","description":"Whether its keys are refused."},
                {{AccountFields}} } }
                """, """{ "suspended": true }"""),
        },
        new ApiOperation("POST", "accounts/{accountId}/sign-in-link", "CreateSignInLink", "Makes a link that signs a person of the account in to the dashboard, once.",
            ApiAnswer.Json(ApiJson.Wire.SignInLinkAnswer))
        {
            Scope = Scopes.Admin, Errors = [400, 413, 415],
        });
}
