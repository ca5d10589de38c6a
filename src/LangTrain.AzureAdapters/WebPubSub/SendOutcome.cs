using System.Globalization;

namespace LangTrain.AzureAdapters.WebPubSub;

/// <summary>What became of a message: the service's status, or (0) that it could not be reached.</summary>
/// <param name="Status">HTTP status, or 0.</param>
/// <param name="Reason">For the log; nothing secret.</param>
/// <param name="RetryAfter">What the service asked for.</param>
internal readonly record struct SendOutcome(int Status, string Reason, TimeSpan? RetryAfter = null)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    /// <summary>Whether the service has it.</summary>
    public bool IsSent => Status is >= 200 and < 300;

    /// <summary>Whether the same message may be taken later. A wrong key, too, is put right by people, and the events are in the log as long.</summary>
    public bool MayWorkLater => Status is 0 or 401 or 403 or 404 or 408 or 429 or >= 500;

    /// <summary>How long to wait.</summary>
    public TimeSpan Delay(TimeSpan usual) => RetryAfter is { } asked && asked > usual ? (asked < LongestWait ? asked : LongestWait) : usual;

    /// <summary>Of an answer.</summary>
    public static SendOutcome From(HttpResponseMessage response) => new(
        (int)response.StatusCode, string.Create(CultureInfo.InvariantCulture, $"status {(int)response.StatusCode}"), response.Headers.RetryAfter?.Delta);
}
