using System.Globalization;
using LangTrain.Contracts.Models;

namespace LangTrain.Core.Models;

/// <summary>Models as they are shown.</summary>
public static class ModelAnswers
{
    /// <summary>Tokens that a price is for.</summary>
    public const int PricedTokens = 1_000_000;

    // Whoever runs this software pays for the machine and not for tokens.
    private static readonly ModelPricing Free = new(0, 0, 0, "USD", "1M tokens");

    /// <summary>A model.</summary>
    public static ModelAnswer ToAnswer(this StoredModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new()
        {
            Id = model.Id,
            Created = model.CreatedAt.ToUnixTimeSeconds(),
            OwnedBy = model.AccountId ?? "langtrain",
            Name = model.Name,
            Description = model.Description,
            Category = model.Category,
            Parameters = ParametersText(model.ParameterCount),
            ParameterCount = model.ParameterCount,
            ContextLength = model.ContextLength,
            SupportedTasks = model.SupportedTasks,
            Pricing = Free,
            Status = model.Status,
            StatusReason = model.StatusReason,
            BaseModel = model.BaseModelId,
            Lineage = model.AccountId is null
                ? null
                : new ModelLineage(model.BaseModelId, model.JobId, model.Adapter is null ? "full" : "adapter", model.Quantization, model.ParentModelId),
        };
    }

    /// <summary>A number of parameters as people say it: two digits and a letter (<c>6.7B</c>, <c>1.2M</c>, <c>260K</c>).</summary>
    public static string ParametersText(long count)
    {
        var (number, unit) = count switch
        {
            >= 999_500_000 => (count / 1e9, "B"),
            >= 999_500 => (count / 1e6, "M"),
            >= 1000 => (count / 1e3, "K"),
            _ => (count, ""),
        };
        return count == 0 ? "unknown" : number.ToString(number >= 9.95 || unit.Length == 0 ? "0" : "0.0", CultureInfo.InvariantCulture).Replace(".0", "", StringComparison.Ordinal) + unit;
    }
}
