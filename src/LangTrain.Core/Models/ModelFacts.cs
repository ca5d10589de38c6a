namespace LangTrain.Core.Models;

/// <summary>What a model's files say of it.</summary>
internal sealed record ModelFacts
{
    /// <summary>A PEFT adapter; false: full weights.</summary>
    public required bool IsAdapter { get; init; }

    /// <summary>Architecture (<c>llama</c>); null of an adapter.</summary>
    public string? ModelType { get; init; }

    /// <summary>Parameters of the files.</summary>
    public long ParameterCount { get; init; }

    /// <summary>Longest sequence in tokens; 0 where nothing says it (adapters).</summary>
    public int ContextLength { get; init; }

    /// <summary>Whether a chat template is among the files.</summary>
    public bool HasChatTemplate { get; init; }

    /// <summary>Tensors by name, with their files.</summary>
    public required IReadOnlyList<(string File, SafetensorsEntry Tensor)> Tensors { get; init; }

    /// <summary>Rank of an adapter.</summary>
    public int Rank { get; init; }
}
