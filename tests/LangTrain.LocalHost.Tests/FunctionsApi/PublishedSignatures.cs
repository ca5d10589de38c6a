using System.Text.RegularExpressions;

namespace LangTrain.LocalHost.Tests.FunctionsApi;

/// <summary>The signatures of the real packages, as the file functions-api.md beside the repository lists them.</summary>
internal sealed partial class PublishedSignatures
{
    private readonly Dictionary<string, PublishedType> _types = [];

    /// <summary>Every type, by namespace, name and count of type parameters.</summary>
    public IReadOnlyDictionary<string, PublishedType> Types => _types;

    /// <summary>Reads the file, or gives null where it is absent.</summary>
    public static PublishedSignatures? TryRead()
    {
        // From the output folder: a deterministic build writes no source path that is there.
        for (var folder = Path.GetDirectoryName(AppContext.BaseDirectory); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var file = Path.Combine(folder, "shared", "functions-api.md");
            if (File.Exists(file))
            {
                return new PublishedSignatures(File.ReadAllText(file));
            }
        }

        return null;
    }

    private PublishedSignatures(string text)
    {
        foreach (Match block in Block().Matches(text))
        {
            var lines = block.Groups["body"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            var declaration = lines.First(line => !line.StartsWith('[')).Replace("public ", "");
            var kind = Declaration().Match(declaration);
            var typeParameters = kind.Groups["generic"].Success ? kind.Groups["generic"].Value.Count(c => c == ',') + 1 : 0;
            var key = $"{block.Groups["namespace"].Value}.{kind.Groups["name"].Value}`{typeParameters}";
            // An overview lists some types twice, the second time among the hosting helpers.
            _types[key] = new PublishedType(
                declaration,
                lines.Where(line => line.StartsWith('[') && line != "[").ToArray(),
                lines.SkipWhile(line => line != "{").Skip(1).TakeWhile(line => line != "}").ToArray());
        }
    }

    [GeneratedRegex("```csharp\\n// namespace (?<namespace>\\S+)\\n(?<body>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("(class|struct|record|interface|enum|delegate \\S+) (?<name>\\w+)(<(?<generic>[^>]*)>)?")]
    private static partial Regex Declaration();
}

/// <summary>One type of the file.</summary>
/// <param name="Declaration">Its first line without accessibility.</param>
/// <param name="Attributes">The lines of its attributes.</param>
/// <param name="Members">One line a member.</param>
internal sealed record PublishedType(string Declaration, IReadOnlyList<string> Attributes, IReadOnlyList<string> Members);
