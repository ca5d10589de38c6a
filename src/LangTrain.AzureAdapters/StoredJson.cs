using System.Text.Json.Serialization;
using LangTrain.Core.Accounts;
using LangTrain.Core.Files;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Idempotency;
using LangTrain.Core.Limits;
using LangTrain.Core.Models;
using LangTrain.Core.Usage;

namespace LangTrain.AzureAdapters;

/// <summary>How rows and log lines are stored. What is not known is passed over, so that older and newer processes read each other's rows.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(FineTune))]
[JsonSerializable(typeof(StoredModel))]
[JsonSerializable(typeof(StoredFile))]
[JsonSerializable(typeof(Account))]
[JsonSerializable(typeof(ApiKey))]
[JsonSerializable(typeof(IdempotentRequest))]
[JsonSerializable(typeof(QuotaCounters))]
[JsonSerializable(typeof(UsageRow))]
internal sealed partial class StoredJson : JsonSerializerContext;
