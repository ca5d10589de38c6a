using LangTrain.Contracts.FineTunes;

namespace LangTrain.Core.FineTunes;

/// <summary>The user name of a stream's connection: says which job it hears, so that the relay's <c>connected</c> event names it.</summary>
public static class JobStreamUser
{
    /// <summary>User name of the connections of a job; also the job's group.</summary>
    public static string Of(FineTuneRef job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.AccountId + "." + job.JobId;
    }

    /// <summary>The job of a user name that <see cref="Of"/> made; null for any other.</summary>
    public static FineTuneRef? Parse(string? user)
    {
        var dot = user?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        return dot > 0 && dot < user!.Length - 1 ? new FineTuneRef(user[..dot], user[(dot + 1)..]) : null;
    }
}
