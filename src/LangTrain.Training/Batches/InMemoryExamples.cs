using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LangTrain.Training.Batches;

/// <summary>Examples held in memory; for small sets, and for parts of a larger set.</summary>
internal sealed class InMemoryExamples : ITokenizedExamples
{
    private readonly IReadOnlyList<TokenizedExample> _examples;
    private readonly int[] _trained;

    public InMemoryExamples(IReadOnlyList<TokenizedExample> examples)
    {
        _examples = examples;
        _trained = [.. examples.Select(e => e.IsTrained.Skip(1).Count(t => t))];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var example in examples)
        {
            hash.AppendData(MemoryMarshal.AsBytes(example.Ids.AsSpan()));
            hash.AppendData(MemoryMarshal.AsBytes(example.IsTrained.AsSpan()));
        }

        ContentHash = Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public int Count => _examples.Count;

    public string ContentHash { get; }

    public int LengthOf(int index) => _examples[index].Ids.Length;

    public int TrainedTokensOf(int index) => _trained[index];

    public TokenizedExample Read(int index) => _examples[index];
}
