namespace LangTrain.Modeling;

/// <summary>Finds the linear layers that target names mean, as PEFT does: a name is a whole module name or its last parts.</summary>
internal static class LoraTargets
{
    /// <exception cref="ArgumentException">A target names no linear layer, or a number is out of range.</exception>
    public static IReadOnlyList<LinearLayer> Resolve(DecoderModel model, LoraOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Rank, nameof(options.Rank));
        if (options.Dropout is not (>= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.Dropout, "Dropout must be 0 up to but not 1.");
        }

        if (!double.IsFinite(options.Alpha))
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.Alpha, "Alpha must be finite.");
        }

        if (options.TargetModules.Contains(LoraOptions.AllLinear))
        {
            return [.. model.Linears.Values];
        }

        foreach (string target in options.TargetModules)
        {
            if (!model.Linears.Keys.Any(name => Matches(name, target)))
            {
                IEnumerable<string> known = model.Linears.Keys.Select(name => name[(name.LastIndexOf('.') + 1)..]).Distinct();
                throw new ArgumentException($"Target module '{target}' is no linear layer of the model's blocks. There are: {string.Join(", ", known)}, or '{LoraOptions.AllLinear}'.", nameof(options));
            }
        }

        return options.TargetModules.Count > 0
            ? [.. model.Linears.Values.Where(layer => options.TargetModules.Any(target => Matches(layer.ModuleName, target)))]
            : throw new ArgumentException("No target modules were given.", nameof(options));
    }

    /// <summary>Whether a target means a module.</summary>
    internal static bool Matches(string name, string target) => name == target || name.EndsWith("." + target, StringComparison.Ordinal);
}
