using System.Collections.Frozen;

namespace LangTrain.Core.Models;

/// <summary>Names under which models are known besides their own (<c>LANGTRAIN_MODEL_ALIASES</c>). Immutable.</summary>
public sealed class ModelAliases
{
    private readonly FrozenDictionary<string, string> _targets;

    private ModelAliases(Dictionary<string, string> targets) => _targets = targets.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>None.</summary>
    public static ModelAliases None { get; } = new([]);

    /// <summary>The aliases with the ids that they stand for.</summary>
    public IReadOnlyDictionary<string, string> All => _targets;

    /// <summary>Reads <c>alias=id,alias=id</c>.</summary>
    /// <exception cref="FormatException">A part is not <c>alias=id</c>, or an alias stands twice or for an alias.</exception>
    public static ModelAliases Parse(string? text)
    {
        var targets = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var split = part.Split('=', StringSplitOptions.TrimEntries);
            if (split.Length != 2 || split[0].Length == 0 || split[1].Length == 0)
            {
                throw new FormatException($"'{part}' is not of the form alias=id.");
            }

            if (!targets.TryAdd(split[0], split[1]))
            {
                throw new FormatException($"The alias '{split[0]}' stands twice.");
            }
        }

        var chained = targets.FirstOrDefault(pair => targets.ContainsKey(pair.Value)).Key;
        return chained is null ? new ModelAliases(targets) : throw new FormatException($"The alias '{chained}' names another alias.");
    }

    /// <summary>The id behind an alias, or the id itself.</summary>
    public string Resolve(string modelId) => _targets.GetValueOrDefault(modelId, modelId);
}
