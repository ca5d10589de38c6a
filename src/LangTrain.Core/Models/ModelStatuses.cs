namespace LangTrain.Core.Models;

/// <summary>Values of <see cref="StoredModel.Status"/>.</summary>
public static class ModelStatuses
{
    /// <summary>It answers and can be trained.</summary>
    public const string Ready = "ready";

    /// <summary>It is listed, but its files are not there.</summary>
    public const string WeightsMissing = "weights_missing";

    /// <summary>It was uploaded and is still being checked.</summary>
    public const string Validating = "validating";

    /// <summary>It was uploaded and failed a check.</summary>
    public const string Invalid = "invalid";

    /// <summary>No model: the row only tells which job's checkpoints go by an id. Never shown.</summary>
    internal const string Pointer = "pointer";
}
