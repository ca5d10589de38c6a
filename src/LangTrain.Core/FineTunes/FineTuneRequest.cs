using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Datasets;
using LangTrain.Core.Http;

namespace LangTrain.Core.FineTunes;

/// <summary>What <c>POST /fine-tunes</c> asks for, checked as far as it can be without looking at models and files.</summary>
/// <param name="ModelId">Model to train.</param>
/// <param name="Dataset">Its data.</param>
/// <param name="Config">How, with every default.</param>
/// <param name="Name">Name, or null.</param>
/// <param name="Suffix">Part of the trained model's id, or null.</param>
/// <param name="Metadata">The owner's notes.</param>
public sealed record FineTuneRequest(
    string ModelId, DatasetReference Dataset, FineTuneConfig Config, string? Name, string? Suffix, IReadOnlyDictionary<string, string> Metadata)
{
    private const int MostNotes = 16, LongestNoteKey = 64, LongestNote = 512;

    /// <summary>Reads a request's body.</summary>
    /// <exception cref="Errors.ApiException">400 with all that is wrong.</exception>
    public static FineTuneRequest FromRequest(RequestObject body)
    {
        ArgumentNullException.ThrowIfNull(body);
        var request = new FineTuneRequest(
            body.RequireText("model_id", 256),
            DatasetOf(body),
            FineTuneConfigRequest.FromRequest(body.Object("config")),
            body.Text("name", 256),
            ReadSuffix(body),
            ReadMetadata(body));
        body.RefuseUnknownKeys();
        body.Problems.ThrowIfAny();
        return request;
    }

    private static DatasetReference DatasetOf(RequestObject body)
    {
        var none = new DatasetReference(null, null);
        if (!body.Has("dataset"))
        {
            body.Missing("dataset");
            return none;
        }

        if (body.Object("dataset") is not { } dataset)
        {
            return none;
        }

        dataset.OneOf("type", "jsonl");
        var reference = new DatasetReference(dataset.Text("url", 4096, 1), dataset.Text("file_id", 128, 1), dataset.Text("validation_file_id", 128, 1));
        if (reference.Url is null == reference.FileId is null)
        {
            dataset.Problems.Add(dataset.Path, "dataset must have exactly one of url and file_id.");
        }
        else if (reference.Url is { } url && FetchDataset.Problem(url) is { } problem)
        {
            dataset.Problems.Add(dataset.At("url"), $"dataset.url {problem}.");
        }

        dataset.RefuseUnknownKeys();
        return reference;
    }

    /// <summary>Reads <c>suffix</c>.</summary>
    internal static string? ReadSuffix(RequestObject body)
    {
        var suffix = body.Text("suffix", 64, 1);
        if (suffix is not null && suffix.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
        {
            body.Problems.Add("suffix", "suffix may have letters, digits, '-', '_' and '.'.");
        }

        return suffix;
    }

    /// <summary>Reads <c>metadata</c>.</summary>
    internal static Dictionary<string, string> ReadMetadata(RequestObject body)
    {
        var notes = new Dictionary<string, string>(StringComparer.Ordinal);
        body.Takes("metadata", $$"""{"type":"object","maxProperties":{{MostNotes}},"additionalProperties":{"type":"string","maxLength":{{LongestNote}} } }""");
        if (body.Object("metadata") is not { } metadata)
        {
            return notes;
        }

        foreach (var property in metadata.Element.EnumerateObject())
        {
            if (notes.Count == MostNotes || property.Name.Length > LongestNoteKey)
            {
                metadata.Problems.Add(metadata.Path, $"metadata may have {MostNotes} keys of at most {LongestNoteKey} characters.");
                return notes;
            }

            notes[property.Name] = metadata.Text(property.Name, LongestNote) ?? "";
        }

        return notes;
    }
}
