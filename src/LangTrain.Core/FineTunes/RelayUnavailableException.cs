namespace LangTrain.Core.FineTunes;

/// <summary>No relay is set up (<c>WebPubSubConnectionString</c>), so nobody can be given an address to connect to.</summary>
public sealed class RelayUnavailableException()
    : Exception("Live streams are not set up on this server (WebPubSubConnectionString). The same events are at /events, as JSON or server-sent events.");
