using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Azure.Data.Tables;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>A table row that holds one record as JSON, cut into properties <c>Body</c>, <c>Body1</c>, <c>Body2</c>, …</summary>
internal static class JsonRow
{
    /// <summary>First property of the body; the others have a number after it.</summary>
    public const string Body = "Body";

    /// <summary>Names one write, so that a write whose answer was lost can be told from somebody else's.</summary>
    public const string WriteId = "WriteId";

    // A text property holds 64 KiB in UTF-16, a row 1 MiB; the serializer escapes what is not ASCII, so characters can be cut anywhere.
    private const int CharactersPerProperty = 32_000;
    private const int MaxCharacters = 15 * CharactersPerProperty;

    /// <summary>A row with the record as its body and a fresh write id.</summary>
    /// <exception cref="InvalidDataException">The record is larger than a row.</exception>
    public static TableEntity From<T>(string partition, string row, T value, JsonTypeInfo<T> json)
    {
        var body = JsonSerializer.Serialize(value, json);
        if (body.Length > MaxCharacters)
        {
            throw new InvalidDataException(
                $"A {typeof(T).Name} of {body.Length} characters of JSON does not fit into a table row, which holds {MaxCharacters}.");
        }

        var entity = new TableEntity(partition, row) { [WriteId] = Guid.NewGuid().ToString("N") };
        for (var part = 0; part == 0 || part * CharactersPerProperty < body.Length; part++)
        {
            var from = part * CharactersPerProperty;
            entity[PropertyName(part)] = body[from..Math.Min(body.Length, from + CharactersPerProperty)];
        }

        return entity;
    }

    /// <summary>The record of a row.</summary>
    /// <exception cref="InvalidDataException">The row has no body, or one that cannot be read.</exception>
    public static T Read<T>(TableEntity entity, JsonTypeInfo<T> json)
    {
        var body = new StringBuilder();
        for (var part = 0; entity.GetString(PropertyName(part)) is { } text; part++)
        {
            body.Append(text);
        }

        try
        {
            return JsonSerializer.Deserialize(body.ToString(), json) ?? throw new JsonException("It is null.");
        }
        catch (JsonException unreadable)
        {
            throw new InvalidDataException($"Row {entity.PartitionKey}/{entity.RowKey} cannot be read as {typeof(T).Name}: {unreadable.Message}", unreadable);
        }
    }

    /// <summary>The version of a row if what stands there is this very write, which was refused only because its first answer was lost; else null.</summary>
    public static async Task<ETag?> StoredByAsync(TableClient table, TableEntity written, CancellationToken cancellation)
    {
        var stored = await table.GetEntityIfExistsAsync<TableEntity>(written.PartitionKey, written.RowKey, [WriteId], cancellation);
        return stored.HasValue && stored.Value!.GetString(WriteId) == written.GetString(WriteId) ? stored.Value.ETag : null;
    }

    private static string PropertyName(int part) => part == 0 ? Body : Body + part.ToString(CultureInfo.InvariantCulture);
}
