using System.Net;
using System.Net.Sockets;

namespace LangTrain.Core.Datasets;

/// <summary>Makes HTTP clients for addresses that users give: no connection leaves to an address that is not public.</summary>
/// <remarks>
/// The check stands where the socket is opened, on the very address that is connected to. A check of the name before would be open to a name
/// that answers differently the second time (DNS rebinding). Redirects are not followed by the client, so each is looked at by the caller,
/// and passes here again. No proxy, no cookies, no credentials.
/// </remarks>
public static class GuardedHttp
{
    /// <summary>A client; the caller keeps one for its lifetime and disposes it.</summary>
    /// <param name="allowPrivate">Whether private and loopback addresses are let through (the setting for tests and closed networks).</param>
    public static HttpClient CreateClient(bool allowPrivate)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            MaxResponseHeadersLength = 64,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            ConnectCallback = (context, cancellation) => ConnectAsync(context.DnsEndPoint, allowPrivate, cancellation),
        };
        var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("LangTrain/1.0");
        return client;
    }

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint target, bool allowPrivate, CancellationToken cancellation)
    {
        var addresses = IPAddress.TryParse(target.Host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(target.Host, cancellation);
        Exception? last = null;
        foreach (var address in addresses)
        {
            // One private address among public ones is enough to refuse: the name is not what it seems.
            if (!allowPrivate && !PublicAddress.IsPublic(address))
            {
                throw new PrivateAddressException();
            }
        }

        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, target.Port), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException unreachable)
            {
                socket.Dispose();
                last = unreachable;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }
}

/// <summary>A user's URL leads to an address that is not of the public Internet.</summary>
public sealed class PrivateAddressException() : IOException("The address is not public.");
