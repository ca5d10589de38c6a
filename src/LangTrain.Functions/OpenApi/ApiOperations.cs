using LangTrain.Functions.About;
using LangTrain.Functions.Accounts;
using LangTrain.Functions.Batches;
using LangTrain.Functions.Files;
using LangTrain.Functions.FineTunes;
using LangTrain.Functions.Generation;
using LangTrain.Functions.Models;
using LangTrain.Functions.Together;
using LangTrain.Functions.Webhooks;

namespace LangTrain.Functions.OpenApi;

/// <summary>Every operation that the API describes, by feature. A test holds it against the function classes.</summary>
internal static class ApiOperations
{
    /// <summary>The features, in reading order.</summary>
    public static IReadOnlyList<ApiTag> Tags { get; } =
    [
        FineTuneOperations.Tag,
        FineTuningJobOperations.Tag,
        GenerationOperations.Tag,
        BatchOperations.Tag,
        ModelOperations.Tag,
        FileOperations.Tag,
        WebhookOperations.Tag,
        TogetherOperations.Tag,
        AccountOperations.Tag,
        AccountOperations.Operators,
        AboutOperations.Tag,
    ];
}
