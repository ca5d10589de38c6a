using System.Text.Json;

namespace LangTrain.Core.Accounts;

/// <summary>Who Azure's built-in authentication says is there (header <c>X-MS-CLIENT-PRINCIPAL</c>). Immutable.</summary>
/// <remarks>
/// learn.microsoft.com/azure/app-service/configure-authentication-user-identities: base 64 of <c>{"auth_typ", "claims": [{"typ", "val"}], …}</c>. The header says
/// the truth only behind that feature, which takes away what clients send under its name.
/// </remarks>
/// <param name="TenantId">Directory, <c>tid</c>.</param>
/// <param name="ObjectId">The person in it, <c>oid</c>: never given to another.</param>
/// <param name="Name">For people.</param>
/// <param name="Email">Or null; a person can change it, so nothing is decided by it.</param>
public sealed record EntraPrincipal(string TenantId, string ObjectId, string? Name, string? Email)
{
    private const int LongestHeader = 64 * 1024;

    /// <summary>Reads the header; null where it names nobody of Entra ID.</summary>
    public static EntraPrincipal? FromRequest(string header)
    {
        ArgumentNullException.ThrowIfNull(header);
        if (header.Length is 0 or > LongestHeader)
        {
            return null;
        }

        try
        {
            var root = JsonElement.Parse(Convert.FromBase64String(header));
            if (root.GetProperty("auth_typ").GetString() != "aad")
            {
                return null;
            }

            var claims = root.GetProperty("claims").EnumerateArray()
                .Select(claim => (Type: claim.GetProperty("typ").GetString() ?? "", Value: claim.GetProperty("val").GetString() ?? "")).ToList();
            string? Find(params IReadOnlyList<string> types) => claims.Where(claim => types.Contains(claim.Type) && claim.Value.Length > 0).Select(claim => claim.Value).FirstOrDefault();

            var tenant = Find("tid", "http://schemas.microsoft.com/identity/claims/tenantid");
            var person = Find("oid", "http://schemas.microsoft.com/identity/claims/objectidentifier");
            return Guid.TryParse(tenant, out var tenantId) && Guid.TryParse(person, out var personId)
                ? new EntraPrincipal(
                    tenantId.ToString("D"), personId.ToString("D"), Find("name"),
                    Find("preferred_username", "email", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"))
                : null;
        }
        catch (Exception malformed) when (malformed is FormatException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }
}
