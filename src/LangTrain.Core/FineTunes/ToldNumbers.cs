using System.Numerics;
using System.Text.Json;
using LangTrain.Contracts.FineTunes;

namespace LangTrain.Core.FineTunes;

/// <summary>Numbers in what a run has told, by its steps.</summary>
internal static class ToldNumbers
{
    /// <summary>A number among an event's data; null where there is none of that name.</summary>
    public static double? Number(this JobEvent told, string name) =>
        told.Data is { ValueKind: JsonValueKind.Object } data && data.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    /// <summary>Forgets what was told of steps that a diverged run went back behind: it may end, or leave a step out, before it comes to where it was.</summary>
    public static void RemoveAfter<TStep, TValue>(this IDictionary<TStep, TValue> bySteps, double step)
        where TStep : INumber<TStep>
    {
        foreach (var later in bySteps.Keys.Where(key => double.CreateChecked(key) > step).ToList())
        {
            bySteps.Remove(later);
        }
    }
}
