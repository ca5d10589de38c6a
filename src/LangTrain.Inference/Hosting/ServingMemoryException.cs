namespace LangTrain.Inference;

/// <summary>What is in use leaves no room for another model or adapter; becomes a 503 with <c>Retry-After</c>.</summary>
/// <param name="neededBytes">Bytes of what is in use and what was asked for.</param>
/// <param name="budgetBytes">Bytes that there may be.</param>
public sealed class ServingMemoryException(long neededBytes, long budgetBytes)
    : Exception($"What is being served and what was asked for take {neededBytes >> 20} MiB together; {budgetBytes >> 20} MiB are set aside. Try again when other requests have ended.")
{
    /// <summary>Bytes of what is in use and what was asked for.</summary>
    public long NeededBytes { get; } = neededBytes;

    /// <summary>Bytes that there may be.</summary>
    public long BudgetBytes { get; } = budgetBytes;
}
