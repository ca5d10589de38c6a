using System.Security.Cryptography;
using System.Text;
using LangTrain.Functions.FineTunes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace LangTrain.Functions.Tests.FineTunes;

/// <summary>Whose events of connections are believed: a forged one would have a stranger's job replayed to the forger.</summary>
public sealed class RelayEventTests : IDisposable
{
    private const string Tenant = "11111111-2222-3333-4444-555555555555", Principal = "99999999-8888-7777-6666-555555555555";
    private static readonly LangTrainSettings ByIdentity = new() { WebPubSubEndpoint = new Uri("https://wps.example") };
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly RSA _otherRsa = RSA.Create(2048);

    [Fact]
    public async Task With_an_identity_only_a_token_of_our_web_pubsub_is_believed()
    {
        var signature = new RelayEventSignature(ByIdentity, Trusting(_rsa));

        Assert.True(await signature.IsGenuineAsync("c1", "", "Bearer " + Token(_rsa)));
        Assert.False(await signature.IsGenuineAsync("c1", "", "Bearer " + Token(_rsa, principal: "somebody-else-of-the-tenant")));
        Assert.False(await signature.IsGenuineAsync("c1", "", "Bearer " + Token(_rsa, audience: "https://management.azure.com")));
        Assert.False(await signature.IsGenuineAsync("c1", "", "Bearer " + Token(_rsa, tenant: "another-tenant")));
        Assert.False(await signature.IsGenuineAsync("c1", "", "Bearer " + Token(_rsa, expires: DateTime.UtcNow.AddHours(-1))));
        Assert.False(await signature.IsGenuineAsync("c1", "", "Bearer " + Token(_otherRsa)));
        Assert.False(await signature.IsGenuineAsync("c1", "sha256=00", ""));
        Assert.False(await signature.IsGenuineAsync("c1", "", "Bearer not-a-token"));
    }

    [Fact]
    public async Task With_neither_key_nor_identity_nobody_is_believed() =>
        Assert.False(await new RelayEventSignature(ByIdentity, null).IsGenuineAsync("c1", "", "Bearer " + Token(_rsa)));

    [Fact]
    public async Task With_a_key_its_signature_over_the_connection_is_believed()
    {
        const string Key = "an-access-key";
        var signature = new RelayEventSignature(new LangTrainSettings { WebPubSubConnectionString = $"Endpoint=https://wps.example;AccessKey={Key};Version=1.0;" });
        var good = "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Key), "c1"u8));

        Assert.True(await signature.IsGenuineAsync("c1", "sha256=00," + good, ""));
        Assert.False(await signature.IsGenuineAsync("c2", good, ""));
        Assert.False(await signature.IsGenuineAsync("c1", "", ""));
    }

    public void Dispose()
    {
        _rsa.Dispose();
        _otherRsa.Dispose();
    }

    private static RelayEventToken Trusting(RSA key)
    {
        var published = new OpenIdConnectConfiguration();
        published.SigningKeys.Add(new RsaSecurityKey(key));
        return new RelayEventToken(Tenant, Principal, new StaticConfigurationManager<OpenIdConnectConfiguration>(published));
    }

    private static string Token(
        RSA key, string principal = Principal, string audience = RelayEventToken.Audience, string tenant = Tenant, DateTime? expires = null) =>
        new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = $"https://sts.windows.net/{tenant}/",
            Audience = audience,
            NotBefore = DateTime.UtcNow.AddHours(-2),
            Expires = expires ?? DateTime.UtcNow.AddHours(1),
            Claims = new Dictionary<string, object> { ["oid"] = principal },
            SigningCredentials = new SigningCredentials(new RsaSecurityKey(key), SecurityAlgorithms.RsaSha256),
        });
}
