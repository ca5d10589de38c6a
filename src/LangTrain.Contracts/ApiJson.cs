using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using LangTrain.Contracts.Accounts;
using LangTrain.Contracts.Batches;
using LangTrain.Contracts.Errors;
using LangTrain.Contracts.Files;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Generation;
using LangTrain.Contracts.Models;
using LangTrain.Contracts.Together;
using LangTrain.Contracts.Webhooks;

namespace LangTrain.Contracts;

/// <summary>How the answers of the public API are written: snake_case, nulls left out unless a field says otherwise.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ErrorEnvelope))]
[JsonSerializable(typeof(ProfileAnswer))]
[JsonSerializable(typeof(ApiKeyAnswer))]
[JsonSerializable(typeof(ListAnswer<ApiKeyAnswer>))]
[JsonSerializable(typeof(AccountAnswer))]
[JsonSerializable(typeof(ListAnswer<AccountAnswer>))]
[JsonSerializable(typeof(SignInLinkAnswer))]
[JsonSerializable(typeof(SignInWaysAnswer))]
[JsonSerializable(typeof(WebhookAnswer))]
[JsonSerializable(typeof(ListAnswer<WebhookAnswer>))]
[JsonSerializable(typeof(WebhookDeliveryAnswer))]
[JsonSerializable(typeof(ListAnswer<WebhookDeliveryAnswer>))]
[JsonSerializable(typeof(WebhookPayload))]
[JsonSerializable(typeof(FineTuneEventData))]
[JsonSerializable(typeof(DeletedAnswer))]
[JsonSerializable(typeof(LimitsAnswer))]
[JsonSerializable(typeof(UsageAnswer))]
[JsonSerializable(typeof(ModelAnswer))]
[JsonSerializable(typeof(ListAnswer<ModelAnswer>))]
[JsonSerializable(typeof(ModelExportAnswer))]
[JsonSerializable(typeof(ListAnswer<ModelExportAnswer>))]
[JsonSerializable(typeof(ListAnswer<ModelFileAnswer>))]
[JsonSerializable(typeof(FileAnswer))]
[JsonSerializable(typeof(ListAnswer<FileAnswer>))]
[JsonSerializable(typeof(UploadAnswer))]
[JsonSerializable(typeof(UploadPartAnswer))]
[JsonSerializable(typeof(FileValidationAnswer))]
[JsonSerializable(typeof(FilePreviewAnswer))]
[JsonSerializable(typeof(FineTuneAnswer))]
[JsonSerializable(typeof(ListAnswer<FineTuneAnswer>))]
[JsonSerializable(typeof(FineTuneEstimateAnswer))]
[JsonSerializable(typeof(FineTuningJobAnswer))]
[JsonSerializable(typeof(ListAnswer<FineTuningJobAnswer>))]
[JsonSerializable(typeof(ListAnswer<FineTuningEventAnswer>))]
[JsonSerializable(typeof(ListAnswer<FineTuningCheckpointAnswer>))]
[JsonSerializable(typeof(JobEvent))]
[JsonSerializable(typeof(ListAnswer<JobEvent>))]
[JsonSerializable(typeof(StreamTicketAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(CompletionAnswer))]
[JsonSerializable(typeof(ChatCompletionAnswer))]
[JsonSerializable(typeof(TokenizeAnswer))]
[JsonSerializable(typeof(DetokenizeAnswer))]
[JsonSerializable(typeof(BatchAnswer))]
[JsonSerializable(typeof(ListAnswer<BatchAnswer>))]
[JsonSerializable(typeof(TogetherFileAnswer))]
[JsonSerializable(typeof(TogetherListAnswer<TogetherFileAnswer>))]
[JsonSerializable(typeof(TogetherFineTuneAnswer))]
[JsonSerializable(typeof(TogetherListAnswer<TogetherFineTuneAnswer>))]
[JsonSerializable(typeof(TogetherListAnswer<TogetherEventAnswer>))]
[JsonSerializable(typeof(TogetherListAnswer<TogetherCheckpointAnswer>))]
[JsonSerializable(typeof(TogetherMetricsAnswer))]
[JsonSerializable(typeof(TogetherPriceAnswer))]
[JsonSerializable(typeof(TogetherLimitsAnswer))]
[JsonSerializable(typeof(TogetherPreviewAnswer))]
[JsonSerializable(typeof(TogetherMessageAnswer))]
[JsonSerializable(typeof(TogetherModelAnswer[]))]
[JsonSerializable(typeof(TogetherBatchAnswer))]
[JsonSerializable(typeof(TogetherBatchAnswer[]))]
[JsonSerializable(typeof(TogetherBatchCreatedAnswer))]
public sealed partial class ApiJson : JsonSerializerContext
{
    // Made on first use: the generated half of this type initialises its own statics in no promised order with this half.
    private static ApiJson? _wire;

    /// <summary>The context to write answers with: text that is not ASCII stays as it is, instead of six characters each.</summary>
    /// <remarks>Answers are never put into HTML by the server and carry <c>nosniff</c>, so the stricter default guards nothing.</remarks>
    public static ApiJson Wire => _wire ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
