using System.Buffers.Text;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace LangTrain.Benchmarks;

/// <summary>Sends one request again and again over kept connections, with as little work of its own as possible. For measurements only.</summary>
internal sealed class HttpLoad(Uri server, string head)
{
    private readonly byte[] _request = Encoding.ASCII.GetBytes(head + "\r\n\r\n");

    /// <summary>A GET with a key.</summary>
    public static HttpLoad Get(Uri url, string? key) => new(
        url, $"GET {url.PathAndQuery} HTTP/1.1\r\nHost: {url.Authority}{(key is null ? "" : $"\r\nAuthorization: Bearer {key}")}");

    /// <summary>As many requests as go through.</summary>
    /// <returns>Requests a second.</returns>
    public async Task<double> SaturateAsync(int connections, TimeSpan time)
    {
        var watch = Stopwatch.StartNew();
        var counts = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(async () =>
        {
            using var connection = await Connection.OpenAsync(server);
            var count = 0;
            for (; watch.Elapsed < time; count++)
            {
                await connection.CallAsync(_request);
            }

            return count;
        })));
        return counts.Sum() / watch.Elapsed.TotalSeconds;
    }

    /// <summary>Requests at a fixed rate, whether or not the ones before are answered in time.</summary>
    /// <returns>Milliseconds from the moment when each was due to its answer, sorted.</returns>
    public async Task<double[]> PaceAsync(int connections, double perSecond, TimeSpan time)
    {
        var watch = Stopwatch.StartNew();
        var gap = TimeSpan.FromSeconds(connections / perSecond);
        var all = await Task.WhenAll(Enumerable.Range(0, connections).Select(index => Task.Run(async () =>
        {
            using var connection = await Connection.OpenAsync(server);
            var latencies = new List<double>();
            for (var due = gap * index / connections; due < time; due += gap)
            {
                // A timer is a millisecond or two late, which counts against whoever is measured.
                if (due - watch.Elapsed is { Ticks: > 0 } left)
                {
                    await Task.Delay(left);
                }

                await connection.CallAsync(_request);
                latencies.Add((watch.Elapsed - due).TotalMilliseconds);
            }

            return latencies;
        })));
        return [.. all.SelectMany(one => one).Order()];
    }

    /// <summary>One call after the other.</summary>
    /// <returns>Milliseconds, sorted.</returns>
    public async Task<double[]> OneByOneAsync(int count)
    {
        using var connection = await Connection.OpenAsync(server);
        var latencies = new double[count];
        for (var i = 0; i < count; i++)
        {
            var watch = Stopwatch.StartNew();
            await connection.CallAsync(_request);
            latencies[i] = watch.Elapsed.TotalMilliseconds;
        }

        return [.. latencies.Order()];
    }

    private sealed class Connection(Socket socket) : IDisposable
    {
        private readonly byte[] _buffer = new byte[256 * 1024];

        public static async Task<Connection> OpenAsync(Uri server)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(server.Host, server.Port);
            return new Connection(socket);
        }

        public async ValueTask CallAsync(byte[] request)
        {
            await socket.SendAsync(request);
            var length = 0;
            do
            {
                var read = await socket.ReceiveAsync(_buffer.AsMemory(length));
                length += read > 0 ? read : throw new IOException("The server hung up.");
            }
            while (!IsWhole(_buffer.AsSpan(0, length)));
            if (!_buffer.AsSpan(9, 3).SequenceEqual("200"u8))
            {
                throw new IOException(Encoding.UTF8.GetString(_buffer, 0, Math.Min(length, 500)));
            }
        }

        public void Dispose() => socket.Dispose();

        private static bool IsWhole(ReadOnlySpan<byte> answer)
        {
            var end = answer.IndexOf("\r\n\r\n"u8);
            if (end < 0)
            {
                return false;
            }

            var head = answer[..(end + 2)];
            var at = head.IndexOf("Content-Length: "u8);
            if (at < 0)
            {
                return answer.EndsWith("0\r\n\r\n"u8);
            }

            return Utf8Parser.TryParse(head[(at + 16)..], out int length, out _) && answer.Length == end + 4 + length;
        }
    }
}
