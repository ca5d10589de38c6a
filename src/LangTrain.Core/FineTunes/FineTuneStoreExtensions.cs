using System.Runtime.CompilerServices;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

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

    /// <summary>All jobs of an account that are in a state, page by page. One that changes its state meanwhile may be missed or come twice.</summary>
    public static async IAsyncEnumerable<FineTune> ListAllAsync(
        this IFineTuneStore store, string accountId, FineTuneStatus status, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        for (PageRequest? page = new(100); page is not null;)
        {
            var found = await store.ListAsync(accountId, page, status, cancellation);
            foreach (var job in found.Items)
            {
                yield return job;
            }

            page = found.HasMore ? page with { After = found.Items[^1].Id } : null;
        }
    }
}
