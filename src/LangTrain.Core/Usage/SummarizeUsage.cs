using System.Globalization;
using LangTrain.Contracts.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Http;

namespace LangTrain.Core.Usage;

/// <summary>Sums an account's usage over days.</summary>
public sealed class SummarizeUsage(IUsageStore store, TimeProvider time)
{
    private const int MostDays = 366;
    private const int DefaultDays = 30;

    /// <summary>Answers <c>?from&amp;to&amp;group_by</c>; the last 30 days by day where nothing is said.</summary>
    /// <exception cref="ApiException">400.</exception>
    public async Task<UsageAnswer> ExecuteAsync(string accountId, Func<string, string?> query, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        var problems = new RequestProblems();
        var to = ReadDay(query, "to", problems) ?? DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        var from = ReadDay(query, "from", problems) ?? to.AddDays(1 - Math.Min(DefaultDays, to.DayNumber + 1));
        var groupBy = query("group_by") ?? "day";
        if (groupBy is not ("day" or "key" or "model"))
        {
            problems.Add("group_by", $"group_by must be 'day', 'key' or 'model', not '{ApiErrors.Shorten(groupBy)}'.");
        }

        if (!problems.Any && (from > to || to.DayNumber - from.DayNumber >= MostDays))
        {
            problems.Add("from", $"from must lie at most {MostDays} days before to.");
        }

        problems.ThrowIfAny();
        var groups = new SortedDictionary<string, UsageAmounts>(StringComparer.Ordinal);
        await foreach (var row in store.ListAsync(accountId, from, to, cancellation))
        {
            var group = groupBy switch { "key" => row.KeyId, "model" => row.ModelId, _ => row.Day.ToString("O", CultureInfo.InvariantCulture) };
            group = group.Length == 0 ? "none" : group;
            groups[group] = groups.TryGetValue(group, out var sum) ? sum + row.Amounts : row.Amounts;
        }

        var total = groups.Values.Aggregate(new UsageAmounts(), UsageAmounts.Add);
        return new UsageAnswer(from, to, groupBy, [.. groups.Select(pair => new UsageGroupAnswer(pair.Key, View(pair.Value)))], View(total));
    }

    private static UsageAmountsAnswer View(UsageAmounts sum) =>
        new(sum.Requests, sum.InputTokens, sum.OutputTokens, sum.TrainedTokens, sum.TrainingSeconds);

    private static DateOnly? ReadDay(Func<string, string?> query, string name, RequestProblems problems)
    {
        if (query(name) is not { } text)
        {
            return null;
        }

        if (RequestTime.TryParse(text, out var moment))
        {
            return DateOnly.FromDateTime(moment.UtcDateTime);
        }

        problems.Add(name, $"{name} must be a day such as 2026-01-31, not '{ApiErrors.Shorten(text)}'.");
        return null;
    }
}
