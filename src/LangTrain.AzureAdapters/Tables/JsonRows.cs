using System.Text.Json.Serialization.Metadata;
using Azure.Data.Tables;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Records of one type as single rows with versions. Thread-safe.</summary>
/// <remarks>The storage client repeats a request whose answer was lost; a write that then meets its own work counts as done.</remarks>
internal sealed class JsonRows<T>(LazyResource<TableClient> table, JsonTypeInfo<T> json)
    where T : class
{
    /// <summary>A record with its version, or null.</summary>
    public async Task<Versioned<T>?> FindAsync(string partition, string row, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        var found = await client.GetEntityIfExistsAsync<TableEntity>(partition, row, cancellationToken: cancellation);
        return found.HasValue ? new Versioned<T>(JsonRow.Read(found.Value!, json), found.Value!.ETag.ToString()) : null;
    }

    /// <summary>Writes a new record; null when there is one.</summary>
    public async Task<Versioned<T>?> AddAsync(string partition, string row, T value, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        var entity = JsonRow.From(partition, row, value, json);
        try
        {
            var written = await client.AddEntityAsync(entity, cancellation);
            return new Versioned<T>(value, written.Headers.ETag!.Value.ToString());
        }
        catch (RequestFailedException failure) when (failure.Status == 409)
        {
            return await JsonRow.StoredByAsync(client, entity, cancellation) is { } etag ? new Versioned<T>(value, etag.ToString()) : null;
        }
    }

    /// <summary>Replaces a record that is still at a version; null when it is not, or is gone.</summary>
    public async Task<Versioned<T>?> ReplaceAsync(string partition, string row, string version, T value, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        var entity = JsonRow.From(partition, row, value, json);
        try
        {
            var written = await client.UpdateEntityAsync(entity, new ETag(version), TableUpdateMode.Replace, cancellation);
            return new Versioned<T>(value, written.Headers.ETag!.Value.ToString());
        }
        catch (RequestFailedException failure) when (failure.Status is 412 or 404)
        {
            return await JsonRow.StoredByAsync(client, entity, cancellation) is { } etag ? new Versioned<T>(value, etag.ToString()) : null;
        }
    }

    /// <summary>Writes a record, new or over the older one.</summary>
    public async Task UpsertAsync(string partition, string row, T value, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        await client.UpsertEntityAsync(JsonRow.From(partition, row, value, json), TableUpdateMode.Replace, cancellation);
    }

    /// <summary>Deletes a record that is still at a version, or (null) at any; false when there was no such record.</summary>
    public async Task<bool> DeleteAsync(string partition, string row, string? version, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        try
        {
            var response = await client.DeleteEntityAsync(partition, row, version is null ? ETag.All : new ETag(version), cancellation);
            return response.Status != 404;
        }
        catch (RequestFailedException failure) when (failure.Status == 412)
        {
            return false;
        }
    }
}
