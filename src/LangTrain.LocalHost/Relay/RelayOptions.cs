namespace LangTrain.LocalHost.Relay;

/// <summary>Settings of the Web PubSub stand-in. Immutable.</summary>
/// <param name="Endpoint">Its address, as in the connection string.</param>
/// <param name="AccessKey">Signs every token and every event.</param>
/// <param name="EventHandler">Where events of clients are posted; null for nowhere.</param>
internal sealed record RelayOptions(Uri Endpoint, string AccessKey, Uri? EventHandler)
{
    /// <summary>Messages that a client may be behind before it is cut off.</summary>
    public int SendQueueLength { get; init; } = 4096;

    /// <summary>The connection string that SDKs take.</summary>
    public string ConnectionString => $"Endpoint={Endpoint.AbsoluteUri.TrimEnd('/')};AccessKey={AccessKey};Version=1.0;";
}
