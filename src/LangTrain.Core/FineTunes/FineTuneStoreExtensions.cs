using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;

namespace LangTrain.Core.FineTunes;

/// <summary>Reading of jobs for a caller.</summary>
public static class FineTuneStoreExtensions
{
    /// <summary>A job of the caller's account.</summary>
    /// <exception cref="ApiException">404: there is none, or it is somebody else's.</exception>
    public static async Task<FineTune> GetAsync(this IFineTuneStore store, Caller caller, string jobId, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(caller);
        return (await store.FindAsync(new FineTuneRef(caller.AccountId, jobId), cancellation))?.Value ?? throw ApiErrors.NotFound("fine_tune", jobId);
    }
}
