namespace LangTrain.Core.Datasets;

/// <summary>How much a dataset may be. Immutable.</summary>
public sealed record DatasetLimits
{
    /// <summary>Most bytes, before and after decompression (so a small gzip cannot become an endless file).</summary>
    public long MaxBytes { get; init; } = 1L << 30;

    /// <summary>Most bytes of one line; one line at a time is in memory.</summary>
    public int MaxLineBytes { get; init; } = 8 << 20;

    /// <summary>Problems after which reading stops.</summary>
    public int MaxProblems { get; init; } = 100;

    /// <summary>Rows whose hashes are kept to find duplicates, 8 bytes each and the table's own room.</summary>
    public int DuplicateCapacity { get; init; } = 1_000_000;

    /// <summary>Longest time for fetching a URL, all redirects and retries together.</summary>
    public TimeSpan FetchTime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Longest time without a byte from the other side.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Redirects followed.</summary>
    public int MaxRedirects { get; init; } = 5;
}
