using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LangTrain.Core.Accounts;

namespace LangTrain.Core.Webhooks;

/// <summary>Signs webhook calls. Thread-safe.</summary>
/// <remarks>
/// Standard Webhooks (github.com/standard-webhooks/standard-webhooks): HMAC-SHA256 of <c>id.timestamp.body</c> under the bytes behind
/// <c>whsec_</c>, as <c>v1,base64</c>; during a rotation one signature for each secret, with a space between.
/// </remarks>
public sealed class WebhookSignature(DerivedSecrets secrets)
{
    private const string Prefix = "whsec_";

    /// <summary>Whether webhooks can be signed: whether the installation has its secret.</summary>
    public bool IsAvailable => secrets.IsAvailable;

    /// <summary>The secret of a webhook, as its owner gets it.</summary>
    /// <exception cref="InvalidOperationException">The installation has no secret.</exception>
    public string SecretOf(string accountId, string webhookId, int version) => Prefix + Convert.ToBase64String(Bytes(accountId, webhookId, version));

    /// <summary>Value of <c>webhook-signature</c>.</summary>
    /// <param name="webhook">Whose secrets sign.</param>
    /// <param name="id">Value of <c>webhook-id</c>.</param>
    /// <param name="at">Moment of the attempt, sent as <c>webhook-timestamp</c> in whole seconds.</param>
    /// <param name="body">The body as it is sent.</param>
    public string Sign(Webhook webhook, string id, DateTimeOffset at, string body)
    {
        ArgumentNullException.ThrowIfNull(webhook);
        var signed = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{at.ToUnixTimeSeconds()}.{body}"));
        var newest = One(webhook.SecretVersion);
        return at < webhook.PreviousSecretUntil && webhook.SecretVersion > 1 ? newest + " " + One(webhook.SecretVersion - 1) : newest;

        string One(int version) => "v1," + Convert.ToBase64String(HMACSHA256.HashData(Bytes(webhook.AccountId, webhook.Id, version), signed));
    }

    private byte[] Bytes(string accountId, string webhookId, int version) =>
        secrets.Bytes(string.Create(CultureInfo.InvariantCulture, $"webhook\n{accountId}\n{webhookId}\n{version}"));
}
