using LangTrain.Contracts.FineTunes;

namespace LangTrain.Core.FineTunes;

/// <summary>The user of a stream's connection: which job it hears and by which API key, so that the relay's <c>connected</c> event names both. Immutable.</summary>
/// <param name="Job">The job.</param>
/// <param name="KeyId">Id of the key (not the key) by which the stream's address was asked for.</param>
public sealed record JobStreamUser(FineTuneRef Job, string KeyId)
{
    /// <summary>The group to which a job's events go.</summary>
    public static string GroupOf(FineTuneRef job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.AccountId + "." + job.JobId;
    }

    /// <summary>The group of all connections of a key: nothing is sent to it, it is closed when the key ends.</summary>
    public static string GroupOfKey(string accountId, string keyId) => $"key.{accountId}.{keyId}";

    /// <summary>The user of a name that <see cref="ToString"/> made; null for any other.</summary>
    public static JobStreamUser? Parse(string? name) =>
        name?.Split('.') is [{ Length: > 0 } account, { Length: > 0 } job, { Length: > 0 } key] ? new JobStreamUser(new FineTuneRef(account, job), key) : null;

    /// <summary>The user's name, as the relay knows it.</summary>
    public override string ToString() => GroupOf(Job) + "." + KeyId;
}
