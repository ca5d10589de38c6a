namespace LangTrain.Core.Webhooks;

/// <summary>When a delivery is tried again.</summary>
public static class WebhookRetries
{
    /// <summary>Failed attempts in a row, over all deliveries, after which a webhook is switched off.</summary>
    public const int MostConsecutiveFailures = 20;

    private static readonly TimeSpan[] Pauses =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(2), TimeSpan.FromHours(5), TimeSpan.FromHours(10), TimeSpan.FromHours(24),
    ];

    /// <summary>Attempts of a delivery before it is given up: about two days.</summary>
    public static int MostAttempts => Pauses.Length + 1;

    /// <summary>Pause after a failed attempt; null after the last.</summary>
    /// <param name="attempts">Attempts made, at least 1.</param>
    /// <param name="asked">What the other side asked for with <c>Retry-After</c>, or null; honoured up to a day.</param>
    /// <param name="random">0 to 1: spreads the pauses by a tenth, so that what failed together does not come together again.</param>
    public static TimeSpan? After(int attempts, TimeSpan? asked, double random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(attempts, 1);
        if (attempts >= MostAttempts)
        {
            return null;
        }

        var pause = Pauses[attempts - 1] * (1 + (random / 10));
        return asked > pause ? TimeSpan.FromTicks(Math.Min(asked.Value.Ticks, TimeSpan.TicksPerDay)) : pause;
    }
}
