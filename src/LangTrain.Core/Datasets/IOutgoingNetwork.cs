using System.Net;

namespace LangTrain.Core.Datasets;

/// <summary>Names and connections of the network, as <see cref="GuardedHttp"/> needs them: of this machine, or a test's. Thread-safe.</summary>
internal interface IOutgoingNetwork
{
    /// <summary>The addresses of a name at this moment; another answer may come the next time.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The name is not known, or nobody who knows it answers.</exception>
    Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellation);

    /// <summary>Opens a TCP connection to an address, which is never looked up again; the caller disposes it.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">It cannot be reached.</exception>
    Task<Stream> ConnectAsync(IPEndPoint target, CancellationToken cancellation);
}
