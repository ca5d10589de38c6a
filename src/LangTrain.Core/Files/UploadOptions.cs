namespace LangTrain.Core.Files;

/// <summary>Settings of uploads in parts.</summary>
public sealed record UploadOptions
{
    /// <summary>
    /// Largest file whose parts are put together within the request that completes it; those of a larger one afterwards. 1 GiB by default, so that
    /// the request ends long before the 230 seconds that Azure's load balancer gives it, and everything but a model is whole when it is answered.
    /// </summary>
    public long MostBytesInRequest { get; init; } = 1L << 30;
}
