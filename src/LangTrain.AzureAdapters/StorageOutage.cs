namespace LangTrain.AzureAdapters;

/// <summary>Tells failures of the storage service, which pass by themselves, from mistakes of ours.</summary>
public static class StorageOutage
{
    private const int NoAnswer = 0, RequestTimeout = 408, TooManyRequests = 429, ServerErrors = 500;

    /// <summary>True when storage did not answer, or said that it cannot at the moment; the clients have tried again by then.</summary>
    /// <remarks>A cancellation counts: the clients end so what storage left hanging. Whoever may have been cancelled by its own caller looks at that first.</remarks>
    public static bool Is(Exception failure) => failure switch
    {
        RequestFailedException { Status: NoAnswer or RequestTimeout or TooManyRequests or >= ServerErrors } => true,
        OperationCanceledException => true,
        AggregateException all => all.InnerExceptions.Count > 0 && all.InnerExceptions.All(Is), // The attempts of one call, or calls side by side.
        { InnerException: { } inner } and not RequestFailedException => Is(inner),
        _ => false,
    };
}
