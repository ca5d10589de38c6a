using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LangTrain.Core.Accounts;
using LangTrain.Core.Batches;
using LangTrain.Core.Files;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Idempotency;
using LangTrain.Core.Limits;
using LangTrain.Core.Models;
using LangTrain.Core.Models.Tasks;
using LangTrain.Core.Usage;
using LangTrain.Core.Webhooks;

namespace LangTrain.AzureAdapters;

/// <summary>How rows are stored. What is not known is passed over, and what is not there has its default, so that older and newer processes read each other's rows.</summary>
/// <remarks>
/// By reflection and not generated: generated readers give an <c>init</c> property that is missing in the text zero or null instead of what the record
/// declares, which would turn every default that a record gets later into a fault in older rows.
/// </remarks>
internal static class StoredJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    public static JsonTypeInfo<FineTune> FineTune { get; } = Of<FineTune>();

    public static JsonTypeInfo<StoredModel> StoredModel { get; } = Of<StoredModel>();

    public static JsonTypeInfo<StoredFile> StoredFile { get; } = Of<StoredFile>();

    public static JsonTypeInfo<Batch> Batch { get; } = Of<Batch>();

    public static JsonTypeInfo<ModelTask> ModelTask { get; } = Of<ModelTask>();

    public static JsonTypeInfo<UploadSession> UploadSession { get; } = Of<UploadSession>();

    public static JsonTypeInfo<Account> Account { get; } = Of<Account>();

    public static JsonTypeInfo<ApiKey> ApiKey { get; } = Of<ApiKey>();

    public static JsonTypeInfo<IdempotentRequest> IdempotentRequest { get; } = Of<IdempotentRequest>();

    public static JsonTypeInfo<QuotaCounters> QuotaCounters { get; } = Of<QuotaCounters>();

    public static JsonTypeInfo<UsageRow> UsageRow { get; } = Of<UsageRow>();

    public static JsonTypeInfo<Webhook> Webhook { get; } = Of<Webhook>();

    public static JsonTypeInfo<WebhookDelivery> WebhookDelivery { get; } = Of<WebhookDelivery>();

    private static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T));
}
