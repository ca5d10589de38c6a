using LangTrain.Core.Storage;

namespace LangTrain.Core.FineTunes;

/// <summary>Lists the jobs of an account. Thread-safe.</summary>
/// <remarks>
/// A page by status or time costs a page, since ids begin with the time and the store knows the status. Other filters are looked for in the
/// rows, in larger pages, until the page is full or the account has no more jobs in the range.
/// </remarks>
public sealed class ListFineTunes(IFineTuneStore store)
{
    private const int RowsAtOnce = 500;

    // Ids hold the time of the request's first try; a row may be written some minutes after it.
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(30);

    /// <summary>A page of jobs.</summary>
    public async Task<Page<FineTune>> ExecuteAsync(string accountId, PageRequest page, FineTuneFilter filter, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(page);
        ArgumentNullException.ThrowIfNull(filter);
        var found = new List<FineTune>(page.Limit + 1);
        var next = page with { After = StartOf(page, filter), Limit = filter.NeedsLooking ? RowsAtOnce : page.Limit + 1 };
        while (true)
        {
            var rows = await store.ListAsync(accountId, next, filter.Status, cancellation);
            foreach (var job in rows.Items)
            {
                if (IsPast(job, page, filter))
                {
                    return Cut(found, page);
                }

                if (filter.Fits(job))
                {
                    found.Add(job);
                }

                if (found.Count > page.Limit)
                {
                    return Cut(found, page);
                }
            }

            if (!rows.HasMore || rows.Items.Count == 0)
            {
                return Cut(found, page);
            }

            next = next with { After = rows.Items[^1].Id };
        }
    }

    private static Page<FineTune> Cut(List<FineTune> found, PageRequest page) =>
        new([.. found.Take(page.Limit)], found.Count > page.Limit);

    // The range begins at its own moment where no page before says better.
    private static string? StartOf(PageRequest page, FineTuneFilter filter)
    {
        if (page.After is not null)
        {
            return page.After;
        }

        return page.OldestFirst
            ? filter.CreatedFrom is { } from ? Ids.FirstAt("ftjob", from - Slack) : null
            : filter.CreatedBefore is { } before ? Ids.FirstAt("ftjob", before) : null;
    }

    private static bool IsPast(FineTune job, PageRequest page, FineTuneFilter filter) => page.OldestFirst
        ? filter.CreatedBefore is { } before && string.CompareOrdinal(job.Id, Ids.FirstAt("ftjob", before)) >= 0
        : filter.CreatedFrom is { } from && string.CompareOrdinal(job.Id, Ids.FirstAt("ftjob", from - Slack)) < 0;
}
