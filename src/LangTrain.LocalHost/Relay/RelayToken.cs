using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LangTrain.LocalHost.Relay;

/// <summary>A JSON Web Token signed with HS256 (RFC 7515, 7519), as far as Web PubSub uses it.</summary>
internal sealed record RelayToken(string Audience, DateTimeOffset ExpiresAt, string? UserId, IReadOnlyList<string> Roles, IReadOnlyList<string> Groups)
{
    private const string GroupClaim = "webpubsub.group";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    /// <summary>Reads a token; null where the signature, the algorithm or the time is not good.</summary>
    public static RelayToken? TryRead(string text, string accessKey, DateTimeOffset now)
    {
        try
        {
            if (text.Split('.') is not [var header, var payload, var signature]
                || JsonNode.Parse(Base64Url.DecodeFromChars(header))?["alg"]?.GetValue<string>() != "HS256"
                || !CryptographicOperations.FixedTimeEquals(Base64Url.DecodeFromChars(signature), Sign($"{header}.{payload}", accessKey)))
            {
                return null;
            }

            var claims = JsonNode.Parse(Base64Url.DecodeFromChars(payload))!.AsObject();
            var token = new RelayToken(
                claims["aud"]?.GetValue<string>() ?? "",
                DateTimeOffset.FromUnixTimeSeconds(claims["exp"]?.GetValue<long>() ?? 0),
                claims["sub"]?.GetValue<string>(),
                Texts(claims["role"]),
                Texts(claims[GroupClaim]));
            var begins = DateTimeOffset.FromUnixTimeSeconds(claims["nbf"]?.GetValue<long>() ?? 0);
            return token.ExpiresAt + ClockSkew > now && begins - ClockSkew <= now ? token : null;
        }
        catch (Exception malformed) when (malformed is FormatException or JsonException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>Signs the token.</summary>
    public string Write(string accessKey)
    {
        var claims = new JsonObject { ["aud"] = Audience, ["exp"] = ExpiresAt.ToUnixTimeSeconds() };
        if (UserId is not null)
        {
            claims["sub"] = UserId;
        }

        if (Roles.Count > 0)
        {
            claims["role"] = new JsonArray([.. Roles.Select(role => JsonValue.Create(role))]);
        }

        if (Groups.Count > 0)
        {
            claims[GroupClaim] = new JsonArray([.. Groups.Select(group => JsonValue.Create(group))]);
        }

        var content = $"{Encode("""{"alg":"HS256","typ":"JWT"}""")}.{Encode(claims.ToJsonString())}";
        return $"{content}.{Base64Url.EncodeToString(Sign(content, accessKey))}";
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private static byte[] Sign(string content, string accessKey) =>
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(accessKey), Encoding.UTF8.GetBytes(content));

    private static IReadOnlyList<string> Texts(JsonNode? claim) => claim switch
    {
        null => [],
        JsonArray many => [.. many.Select(one => one!.GetValue<string>())],
        _ => [claim.GetValue<string>()],
    };
}
