namespace LangTrain.Core.Models;

/// <summary>What the files of a model's folder say of it.</summary>
/// <param name="IsAdapter">A PEFT adapter; false: full weights.</param>
/// <param name="ParameterCount">Parameters of the files.</param>
/// <param name="ContextLength">Longest sequence in tokens; 0 of an adapter.</param>
/// <param name="HasChatTemplate">Whether a chat template is among the files.</param>
public sealed record ModelFolderFacts(bool IsAdapter, long ParameterCount, int ContextLength, bool HasChatTemplate);

/// <summary>Checks a model's folder as far as that goes without computing: formats, names, sizes, finite weights.</summary>
public static class ModelFolderCheck
{
    /// <summary>Reads every byte of the weights once.</summary>
    /// <exception cref="InvalidDataException">What is wrong, for the owner.</exception>
    public static async Task<ModelFolderFacts> RunAsync(string folder, CancellationToken cancellation = default)
    {
        var files = ModelFolder.Local(folder);
        var facts = await ModelInspector.InspectAsync(files, cancellation);
        await FiniteScan.RunAsync(files, facts, cancellation);
        return new ModelFolderFacts(facts.IsAdapter, facts.ParameterCount, facts.ContextLength, facts.HasChatTemplate);
    }
}
