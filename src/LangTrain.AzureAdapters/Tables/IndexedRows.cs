using System.Text.Json.Serialization.Metadata;
using Azure.Data.Tables;
using LangTrain.Core;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Rows of accounts that are listed in both directions, and by one facet (a status, a purpose), a page at the cost of a page. Thread-safe.</summary>
/// <remarks>
/// A partition an account, with four rows a record, written in one transaction: <c>r-{newest first}</c> has the record; the others only its
/// id: <c>o-{id}</c> for oldest first, <c>f-{facet}@{newest first}</c> and <c>g-{facet}@{id}</c> for the facet. So a page is one range of
/// keys, read in key order, and never a scan, whatever was stored before.
/// </remarks>
internal sealed class IndexedRows<T>(
    LazyResource<TableClient> table, JsonTypeInfo<T> json, Func<T, string> ownerOf, Func<T, string> idOf, Func<T, string> facetOf)
    where T : class
{
    private const string IdColumn = "Id";
    private const int ParallelReads = 16;

    // Storage refuses to give more at once.
    private const int MostRowsOfAnAnswer = 1000;

    /// <summary>A record with its version, or null.</summary>
    public async Task<Versioned<T>?> FindAsync(string owner, string id, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        var found = await client.GetEntityIfExistsAsync<TableEntity>(TableKeys.Owner(owner), RowKey(id), cancellationToken: cancellation);
        return found.HasValue ? Read(found.Value!) : null;
    }

    /// <summary>Writes a new record.</summary>
    /// <exception cref="AlreadyExistsException">The account has one of this id.</exception>
    public async Task InsertAsync(T value, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        var row = Row(value);
        try
        {
            await client.SubmitTransactionAsync(
                [new TableTransactionAction(TableTransactionActionType.Add, row), .. IndexRows(value).Select(Upsert)], cancellation);
        }
        catch (RequestFailedException failure) when (failure.Status == 409)
        {
            if (await JsonRow.StoredByAsync(client, row, cancellation) is null)
            {
                throw new AlreadyExistsException($"{typeof(T).Name} {idOf(value)}", failure);
            }
        }
    }

    /// <summary>Replaces a record that is still at its version, and moves its facet's index rows in the same transaction.</summary>
    /// <exception cref="StaleWriteException">It was changed or deleted since.</exception>
    public async Task<Versioned<T>> ReplaceAsync(Versioned<T> current, T changed, CancellationToken cancellation)
    {
        if (ownerOf(current.Value) != ownerOf(changed) || idOf(current.Value) != idOf(changed))
        {
            throw new ArgumentException("An update keeps the record's owner and id.", nameof(changed));
        }

        var client = await table.GetAsync(cancellation);
        var row = Row(changed);
        var version = new ETag(current.ETag);
        try
        {
            var written = facetOf(current.Value) == facetOf(changed)
                ? await client.UpdateEntityAsync(row, version, TableUpdateMode.Replace, cancellation)
                : await MoveAsync(client, row, version, current.Value, changed, cancellation);
            return new Versioned<T>(changed, written.Headers.ETag!.Value.ToString());
        }
        catch (RequestFailedException failure) when (failure.Status is 412 or 404)
        {
            // The client repeats a request whose answer was lost; the second then meets the first's own write.
            return await JsonRow.StoredByAsync(client, row, cancellation) is { } etag
                ? new Versioned<T>(changed, etag.ToString())
                : throw new StaleWriteException($"{typeof(T).Name} {idOf(changed)}", failure);
        }
    }

    /// <summary>Gives a record another version; false when there is none.</summary>
    public async Task<bool> TouchAsync(string owner, string id, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        try
        {
            await client.UpdateEntityAsync(new TableEntity(TableKeys.Owner(owner), RowKey(id)), ETag.All, TableUpdateMode.Merge, cancellation);
            return true;
        }
        catch (RequestFailedException failure) when (failure.Status == 404)
        {
            return false;
        }
    }

    /// <summary>Deletes a record and its index rows; false when there was none.</summary>
    public async Task<bool> DeleteAsync(string owner, string id, CancellationToken cancellation) =>
        await FindAsync(owner, id, cancellation) is { } found && await DeleteAsync(found.Value, ETag.All, cancellation);

    /// <summary>Deletes a record that is still at its version, and its index rows; false when it was changed or deleted since.</summary>
    public Task<bool> DeleteAsync(Versioned<T> current, CancellationToken cancellation) => DeleteAsync(current.Value, new ETag(current.ETag), cancellation);

    private async Task<bool> DeleteAsync(T value, ETag version, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        var row = Row(value);
        try
        {
            await client.SubmitTransactionAsync([new(TableTransactionActionType.Delete, row, version), .. IndexRows(value).Select(Delete)], cancellation);
            return true;
        }
        catch (TableTransactionFailedException failure) when (failure.Status is 404 or 412)
        {
            if (failure.Status == 412 || failure.FailedTransactionActionIndex == 0)
            {
                return false;
            }
        }

        // An index row was missing, which fails the transaction as a whole: one by one, the record first.
        try
        {
            await client.DeleteEntityAsync(row, version, cancellation);
        }
        catch (RequestFailedException failure) when (failure.Status == 412)
        {
            return false;
        }

        foreach (var index in IndexRows(value))
        {
            await client.DeleteEntityAsync(index, ETag.All, cancellation);
        }

        return true;
    }

    /// <summary>A page of an account's records.</summary>
    public async Task<Page<T>> ListAsync(string owner, PageRequest page, string? facet, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(page.Limit, 1, nameof(page));
        var client = await table.GetAsync(cancellation);
        var direct = facet is null && !page.OldestFirst;
        var prefix = direct ? "r-" : facet is null ? "o-" : (page.OldestFirst ? "g-" : "f-") + TableKeys.Escape(facet) + "@";
        var from = page.After is null ? prefix : prefix + (page.OldestFirst ? TableKeys.Escape(page.After) : Newest(page.After));
        var partition = TableKeys.Owner(owner);
        var range = TableClient.CreateQueryFilter($"PartitionKey eq {partition} and RowKey gt {from} and RowKey lt {After(prefix)}");
        var rows = client.QueryAsync<TableEntity>(range, Math.Min(page.Limit + 1, MostRowsOfAnAnswer), cancellationToken: cancellation);

        var items = new List<T>(Math.Min(page.Limit + 1, MostRowsOfAnAnswer));
        await foreach (var batch in rows.AsPages().WithCancellation(cancellation))
        {
            items.AddRange(direct
                ? batch.Values.Select(row => Read(row).Value)
                : await ReadNamedAsync(owner, batch.Values, facet, cancellation));
            if (items.Count > page.Limit)
            {
                break;
            }
        }

        return new Page<T>([.. items.Take(page.Limit)], items.Count > page.Limit);
    }

    private async Task<IEnumerable<T>> ReadNamedAsync(string owner, IReadOnlyList<TableEntity> indexRows, string? facet, CancellationToken cancellation)
    {
        var found = new T?[indexRows.Count];
        await Parallel.ForAsync(0, found.Length, new ParallelOptions { MaxDegreeOfParallelism = ParallelReads, CancellationToken = cancellation }, async (i, stop) =>
        {
            found[i] = (await FindAsync(owner, indexRows[i].GetString(IdColumn), stop))?.Value;
        });
        // What was deleted or moved between the two reads is left out.
        return found.OfType<T>().Where(value => facet is null || facetOf(value) == facet);
    }

    private async Task<Azure.Response> MoveAsync(TableClient client, TableEntity row, ETag version, T from, T to, CancellationToken cancellation)
    {
        var write = new TableTransactionAction(TableTransactionActionType.UpdateReplace, row, version);
        try
        {
            var done = await client.SubmitTransactionAsync([write, .. FacetRows(to).Select(Upsert), .. FacetRows(from).Select(Delete)], cancellation);
            return done.Value[0];
        }
        catch (TableTransactionFailedException failure) when (failure.Status == 404 && failure.FailedTransactionActionIndex > 0)
        {
            // The index row to be deleted is not there, so nothing was written; again without the deletes.
            var done = await client.SubmitTransactionAsync([write, .. FacetRows(to).Select(Upsert)], cancellation);
            return done.Value[0];
        }
    }

    private TableEntity Row(T value) => JsonRow.From(TableKeys.Owner(ownerOf(value)), RowKey(idOf(value)), value, json);

    private Versioned<T> Read(TableEntity row) => new(JsonRow.Read(row, json), row.ETag.ToString());

    private TableEntity[] IndexRows(T value) => [Index(value, "o-" + TableKeys.Escape(idOf(value))), .. FacetRows(value)];

    private TableEntity[] FacetRows(T value)
    {
        var facet = TableKeys.Escape(facetOf(value));
        return [Index(value, $"f-{facet}@{Newest(idOf(value))}"), Index(value, $"g-{facet}@{TableKeys.Escape(idOf(value))}")];
    }

    private TableEntity Index(T value, string rowKey) => new(TableKeys.Owner(ownerOf(value)), rowKey) { [IdColumn] = idOf(value) };

    private static TableTransactionAction Upsert(TableEntity row) => new(TableTransactionActionType.UpsertReplace, row);

    private static TableTransactionAction Delete(TableEntity row) => new(TableTransactionActionType.Delete, row, ETag.All);

    private static string RowKey(string id) => "r-" + Newest(id);

    private static string Newest(string id) => TableKeys.Escape(Ids.NewestFirst(id));

    // The first key after all that begin with the prefix.
    private static string After(string prefix) => prefix[..^1] + (char)(prefix[^1] + 1);
}
