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
    public static HttpClient CreateClient(bool allowPrivate) => CreateClient(allowPrivate, new SystemNetwork());

    /// <summary>As above, over a network of the caller's.</summary>
    internal static HttpClient CreateClient(bool allowPrivate, IOutgoingNetwork network)
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
            ConnectCallback = (context, cancellation) => ConnectAsync(network, context.DnsEndPoint, allowPrivate, cancellation),
        };
        var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("LangTrain/1.0");
        return client;
    }

    private static async ValueTask<Stream> ConnectAsync(IOutgoingNetwork network, DnsEndPoint target, bool allowPrivate, CancellationToken cancellation)
    {
        // Asked once: what is checked and what is connected to are the same objects.
        var addresses = IPAddress.TryParse(target.Host, out var literal) ? [literal] : await network.ResolveAsync(target.Host, cancellation);
        if (!allowPrivate && !Array.TrueForAll(addresses, PublicAddress.IsPublic))
        {
            // One private address among public ones is enough to refuse: the name is not what it seems.
            throw new PrivateAddressException();
        }

        SocketException? last = null;
        foreach (var address in addresses)
        {
            try
            {
                // A socket for IPv6 alone, as one is that is made for an IPv6 address, cannot reach an IPv4 address written as one.
                return await network.ConnectAsync(new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, target.Port), cancellation);
            }
            catch (SocketException unreachable)
            {
                last = unreachable;
            }
        }

        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }
}

/// <summary>A user's URL leads to an address that is not of the public Internet.</summary>
public sealed class PrivateAddressException() : IOException("The address is not public.");
