using LangTrain.Contracts.Files;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Together;
using LangTrain.Core.Models;

namespace LangTrain.Core.Together;

/// <summary>Shows what comes before a fine-tune the way the together-ai client reads it.</summary>
public static class TogetherEstimates
{
    private const int NotLearned = -100;

    // As TogetherFineTuneRequest reads them.
    private const int MostRows = 1024, MostEpochs = 100, HighestRank = 512, LeastSequence = 8;

    private static readonly string[] Layers = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    /// <summary>What a fine-tune would cost.</summary>
    public static TogetherPriceAnswer ToTogetherPrice(this FineTuneEstimateAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return answer.Estimate is not { } estimate
            ? new() { EstimationAvailable = false, UnavailableReason = "train_file_invalid" }
            : new()
            {
                EstimationAvailable = true,
                AllowedToProceed = estimate.Fits != false,
                EstimatedTotalPrice = answer.Price?.Amount ?? 0,
                EstimatedTrainTokenCount = estimate.TotalTokens,
            };
    }

    /// <summary>The first rows of a file; rows that come to nothing are left out.</summary>
    /// <param name="shown">The rows.</param>
    /// <param name="contextLength">The model's longest sequence, tokens.</param>
    public static TogetherPreviewAnswer ToTogether(this FilePreviewAnswer shown, int contextLength)
    {
        ArgumentNullException.ThrowIfNull(shown);
        var format = shown.Format switch { "chat" => "conversation", "text" => "general", _ => "instruction" };
        return new TogetherPreviewAnswer(format, contextLength, shown.Model, false, [.. shown.Rows.SelectMany(row => row.Examples.Take(1)).Select(example => Row(example, contextLength))]);
    }

    /// <summary>What fine-tunes of a model may ask for.</summary>
    public static TogetherLimitsAnswer ToTogetherLimits(this StoredModel model, string name)
    {
        ArgumentNullException.ThrowIfNull(model);
        var isFull = model.Adapter is null;
        return new()
        {
            ModelName = name,
            MaxNumEpochs = MostEpochs,
            MaxNumCheckpoints = 1,
            MaxNumEvals = MostEpochs,
            MaxLearningRate = 1,
            MinLearningRate = 0,
            MaxSeqLengthSft = model.ContextLength,
            MaxSeqLengthDpo = model.ContextLength,
            MinMaxSeqLength = LeastSequence,
            DefaultGradientAccumulationSteps = new TrainingConfig().GradientAccumulationSteps,
            SupportsFullTraining = isFull,
            SupportsTools = model.SupportedTasks.Contains("chat"),
            LoraTraining = new TogetherLoraLimits(MostRows, MostRows, 1, HighestRank, Layers),
            FullTraining = isFull ? new TogetherFullLimits(MostRows, MostRows, 1) : null,
        };
    }

    private static TogetherPreviewRow Row(FilePreviewExample example, int contextLength)
    {
        var (labels, spans) = (new int[example.Ids.Count], new List<IReadOnlyList<int>>());
        for (var i = 0; i < labels.Length; i++)
        {
            var isLearned = example.LossMask[i] == 1;
            labels[i] = isLearned ? example.Ids[i] : NotLearned;
            if (isLearned && spans.Count > 0 && spans[^1][1] == i)
            {
                spans[^1] = [spans[^1][0], i + 1];
            }
            else if (isLearned)
            {
                spans.Add([i, i + 1]);
            }
        }

        return new TogetherPreviewRow(example.Ids, labels, example.Tokens, spans, labels.Length, example.TrainedTokens, labels.Length > contextLength);
    }
}
