using System.Buffers.Binary;
using System.Security.Cryptography;

namespace LangTrain.Core.Datasets;

/// <summary>Remembers rows by 64 bits of their SHA-256, in bounded memory: finds exact duplicates and rows that two files share.</summary>
internal sealed class RowHashes(int capacity)
{
    private readonly HashSet<ulong> _seen = [];

    /// <summary>Whether some rows could no longer be remembered.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Whether the row was seen; remembers it if there is room.</summary>
    public bool Add(ReadOnlySpan<byte> row)
    {
        var hash = Hash(row);
        if (_seen.Count >= capacity && !_seen.Contains(hash))
        {
            IsFull = true;
            return false;
        }

        return !_seen.Add(hash);
    }

    /// <summary>Whether the row was seen.</summary>
    public bool Contains(ReadOnlySpan<byte> row) => _seen.Contains(Hash(row));

    private static ulong Hash(ReadOnlySpan<byte> row)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(row, digest);
        return BinaryPrimitives.ReadUInt64LittleEndian(digest);
    }
}
